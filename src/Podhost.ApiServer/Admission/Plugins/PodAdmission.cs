using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>What the pod plugins share: recognizing a pod's creation and reading its spec as JSON.</summary>
internal static class PodAdmission
{
    public static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";

    public static bool IsCreation(AdmissionRequest request) =>
        request.Operation == AdmissionOperation.Create && request.Resource == Pods && request.Subresource.Length == 0;

    public static JsonObject Spec(JsonObject pod)
    {
        if (pod["spec"] is JsonObject spec)
        {
            return spec;
        }

        spec = [];
        pod["spec"] = spec;
        return spec;
    }

    public static bool IsMirror(JsonObject pod) => (pod["metadata"]?["annotations"] as JsonObject)?.ContainsKey(MirrorAnnotation) == true;

    public static string? Text(JsonNode? node) => node is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    public static JsonArray List(JsonObject parent, string name)
    {
        if (parent[name] is JsonArray list)
        {
            return list;
        }

        list = [];
        parent[name] = list;
        return list;
    }

    /// <summary>All containers of a spec that mount volumes: init and main ones (ephemeral ones cannot be created with the pod).</summary>
    public static IEnumerable<JsonObject> Containers(JsonObject spec) =>
        ((spec["initContainers"] as JsonArray) ?? []).Concat((spec["containers"] as JsonArray) ?? []).OfType<JsonObject>();
}
