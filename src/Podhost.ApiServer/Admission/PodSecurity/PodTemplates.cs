using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>Where the kinds that make pods keep the pod that they make.</summary>
internal static class PodTemplates
{
    /// <summary>True for the kinds with a template.</summary>
    public static bool Has(ResourceInfo resource) => (resource.Group, resource.Plural) is
        ("", "replicationcontrollers" or "podtemplates") or ("apps", "deployments" or "replicasets" or "statefulsets" or "daemonsets") or ("batch", "jobs" or "cronjobs");

    /// <summary>The template, or null where the object has none.</summary>
    public static JsonObject? Of(ResourceInfo resource, JsonObject obj) => (resource.Plural switch
    {
        "podtemplates" => obj["template"],
        "cronjobs" => obj["spec"]?["jobTemplate"]?["spec"]?["template"],
        _ => obj["spec"]?["template"],
    }) as JsonObject;
}
