using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Registry.Pods;

/// <summary>The binding subresource: sets spec.nodeName once.</summary>
/// <remarks>Upstream: pkg/registry/core/pod/storage/storage.go, BindingREST.</remarks>
internal static class PodBinder
{
    /// <summary>Checks a Binding.</summary>
    /// <exception cref="ApiException">422.</exception>
    public static void Validate(JsonObject binding)
    {
        var errors = new List<FieldError>();
        if (Meta.Text(Meta.At(binding, "target", "kind")) is not ("" or "Node") and var kind)
        {
            errors.Add(FieldError.NotSupported("target.kind", kind, ["Node", "<empty>"]));
        }

        if (Meta.Text(Meta.At(binding, "target", "name")).Length == 0)
        {
            errors.Add(FieldError.Required("target.name"));
        }

        if (errors.Count > 0)
        {
            throw ApiException.Invalid("", "Binding", Meta.Name(binding), errors);
        }
    }

    /// <summary>The pod, bound.</summary>
    /// <exception cref="ApiException">409: it cannot be bound (any more).</exception>
    public static JsonObject Bind(ResourceInfo pods, JsonObject pod, JsonObject binding, DateTimeOffset now)
    {
        var name = Meta.Name(pod);
        var node = Meta.Text(Meta.At(pod, "spec", "nodeName"));
        var why = node.Length > 0 ? $"pod {name} is already assigned to node \"{node}\""
            : Meta.IsDeleting(pod) ? $"pod {name} is being deleted, cannot be assigned to a host"
            : Meta.At(pod, "spec", "schedulingGates") is JsonArray { Count: > 0 } ? $"pod {name} has non-empty .spec.schedulingGates"
            : null;
        if (why is not null)
        {
            throw ApiException.Conflict("", "pods/binding", name, why);
        }

        CheckPreconditions(pods, pod, binding);
        var bound = (JsonObject)pod.DeepClone();
        Meta.Child(bound, "spec")["nodeName"] = Meta.Text(Meta.At(binding, "target", "name"));
        if (Meta.At(binding, "metadata", "annotations") is JsonObject annotations)
        {
            var to = Meta.Child(Meta.Of(bound), "annotations");
            foreach (var (key, value) in annotations)
            {
                to[key] = value?.DeepClone();
            }
        }

        PodConditions.Set(bound, "PodScheduled", "True", "", "", now);
        return bound;
    }

    private static void CheckPreconditions(ResourceInfo pods, JsonObject pod, JsonObject binding)
    {
        var uid = Meta.Uid(binding);
        if (uid.Length > 0 && uid != Meta.Uid(pod))
        {
            throw ApiException.Conflict(pods.Group, pods.Plural, Meta.Name(pod),
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {Meta.Uid(pod)}");
        }

        var version = Meta.ResourceVersion(binding);
        if (version.Length > 0 && version != Meta.ResourceVersion(pod))
        {
            throw ApiException.Conflict(pods.Group, pods.Plural, Meta.Name(pod),
                $"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {Meta.ResourceVersion(pod)}");
        }
    }
}
