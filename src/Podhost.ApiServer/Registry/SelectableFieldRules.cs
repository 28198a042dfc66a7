using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Selectors;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>Which fields a field selector may name, for each resource, and how they are read.</summary>
internal static class SelectableFieldRules
{
    private static readonly HashSet<string> Pod = new(StringComparer.Ordinal)
    {
        "metadata.name", "metadata.namespace", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    };

    private static readonly HashSet<string> Event = new(StringComparer.Ordinal)
    {
        "metadata.name", "metadata.namespace", "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    };

    private static readonly HashSet<string> Secret = new(StringComparer.Ordinal) { "metadata.name", "metadata.namespace", "type" };

    private static readonly HashSet<string> Node = new(StringComparer.Ordinal) { "metadata.name", "spec.unschedulable" };

    private static readonly HashSet<string> Namespace = new(StringComparer.Ordinal) { "metadata.name", "status.phase", "name" };

    private static readonly HashSet<string> Service = new(StringComparer.Ordinal)
    {
        "metadata.name", "metadata.namespace", "spec.clusterIP", "spec.type",
    };

    private static readonly HashSet<string> Job = new(StringComparer.Ordinal) { "metadata.name", "metadata.namespace", "status.successful" };

    private static readonly HashSet<string> Replicated = new(StringComparer.Ordinal) { "metadata.name", "metadata.namespace", "status.replicas" };

    private static readonly HashSet<string> SigningRequest = new(StringComparer.Ordinal) { "metadata.name", "spec.signerName" };

    /// <summary>Checks that a resource knows the fields.</summary>
    /// <exception cref="ApiException">400: it does not.</exception>
    public static void Check(ResourceInfo resource, FieldSelector? selector)
    {
        if (resource.Custom is { } custom)
        {
            CheckCustom(resource, custom, selector);
            return;
        }

        foreach (var requirement in selector?.Requirements ?? [])
        {
            var field = EventViews.StoredField(resource, requirement.Field);
            var known = Known(resource);
            if (known is null && field != "metadata.name" && !(field == "metadata.namespace" && resource.Namespaced))
            {
                var only = resource.Namespaced ? "\"metadata.name\", \"metadata.namespace\"" : "\"metadata.name\"";
                throw ApiException.BadRequest($"\"{requirement.Field}\" is not a known field selector: only {only}");
            }

            if (known is not null && !known.Contains(field))
            {
                throw ApiException.BadRequest($"field label not supported: {requirement.Field}");
            }
        }
    }

    private static void CheckCustom(ResourceInfo resource, CustomKind custom, FieldSelector? selector)
    {
        foreach (var field in (selector?.Requirements ?? []).Select(r => r.Field))
        {
            var isKnown = field == "metadata.name" || (field == "metadata.namespace" && resource.Namespaced)
                || custom.SelectableFields.Any(f => f.Text == "." + field);
            if (!isKnown)
            {
                throw ApiException.BadRequest($"field label not supported: {field}");
            }
        }
    }

    // A field that is not set is an empty string.
    private static string ReadCustom(ResourceInfo resource, CachedObject obj, string field)
    {
        if (field is "metadata.name" or "metadata.namespace")
        {
            return obj.Selectable.Get(field) ?? "";
        }

        var value = SimplePath.Parse("." + field).Get(ObjectViews.Read(resource, obj));
        return value is JsonValue scalar ? scalar.ToString() : "";
    }

    /// <summary>How a resource's fields are read from stored objects.</summary>
    public static Func<CachedObject, string, string?> Reader(ResourceInfo resource) => resource.Custom is not null
        ? (obj, field) => ReadCustom(resource, obj, field)
        : (obj, field) =>
        EventViews.StoredField(resource, field) switch
        {
            "spec.hostNetwork" => obj.Selectable.Get("spec.hostNetwork") ?? "false",
            "spec.unschedulable" => obj.Selectable.Get("spec.unschedulable") ?? "false",
            "status.podIPs" => obj.Selectable.Get("status.podIP"),
            "source" => obj.Selectable.Get("source.component") ?? obj.Selectable.Get("reportingComponent"),
            "status.successful" => obj.Selectable.Get("status.succeeded") ?? "0",
            "status.replicas" => obj.Selectable.Get("status.replicas") ?? "0",
            "name" => obj.Selectable.Get("metadata.name"),
            var stored => obj.Selectable.Get(stored),
        };

    private static HashSet<string>? Known(ResourceInfo resource) => (resource.Group, resource.Plural) switch
    {
        ("", "pods") => Pod,
        ("" or "events.k8s.io", "events") => Event,
        ("", "secrets") => Secret,
        ("", "nodes") => Node,
        ("", "namespaces") => Namespace,
        ("", "services") => Service,
        ("batch", "jobs") => Job,
        ("", "replicationcontrollers") or ("apps", "replicasets") => Replicated,
        ("certificates.k8s.io", "certificatesigningrequests") => SigningRequest,
        _ => null,
    };
}
