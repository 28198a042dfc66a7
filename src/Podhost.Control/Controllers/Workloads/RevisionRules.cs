using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Podhost.Api.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>What to do about the revision of an owner's template.</summary>
/// <param name="Found">The revision that holds the template; null: one must be made.</param>
/// <param name="Number">The number that it must have; what it has where nothing is to be done.</param>
internal sealed record RevisionPlan(V1ControllerRevision? Found, long Number);

/// <summary>
/// ControllerRevisions: the templates that an owner had, as patches that bring them back (kubectl rollout undo applies them as they are).
/// Pure. Source: upstream's pkg/controller/history.
/// </summary>
internal static class RevisionRules
{
    /// <summary>Label of a revision: the hash of what it holds.</summary>
    public const string Hash = "controller.kubernetes.io/hash";

    /// <summary>Label of a pod (and of a DaemonSet's revision): the revision that it was made from.</summary>
    public const string PodRevision = "controller-revision-hash";

    /// <summary>
    /// What a revision of a template holds: a strategic merge patch that replaces the template. Its fields are in the order of their names at
    /// every depth, as upstream writes them: clients find the revision of a template by comparing the bytes.
    /// </summary>
    public static JsonObject DataOf(V1PodTemplateSpec template)
    {
        var json = ObjectCodec.ToObject(template);
        json["$patch"] = "replace";
        return new JsonObject { ["spec"] = new JsonObject { ["template"] = Ordered(json) } };
    }

    private static JsonNode? Ordered(JsonNode? node) => node switch
    {
        JsonObject fields => new JsonObject(fields.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => KeyValuePair.Create(f.Key, Ordered(f.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Ordered)]),
        _ => node?.DeepClone(),
    };

    /// <summary>What a revision holds; an empty object where it is nothing that we wrote.</summary>
    public static JsonObject DataOf(V1ControllerRevision revision) => (object?)revision.Data switch
    {
        JsonElement { ValueKind: JsonValueKind.Object } element => JsonObject.Create(element)!,
        JsonObject node => node,
        _ => [],
    };

    /// <summary>The template that a revision brings back; null where it holds none.</summary>
    public static V1PodTemplateSpec? TemplateOf(V1ControllerRevision revision)
    {
        if (DataOf(revision)["spec"]?["template"] is not JsonObject template)
        {
            return null;
        }

        var copy = (JsonObject)template.DeepClone();
        copy.Remove("$patch");
        return ObjectCodec.ToModel<V1PodTemplateSpec>(copy);
    }

    /// <summary>Oldest first.</summary>
    public static IReadOnlyList<V1ControllerRevision> Sorted(IEnumerable<V1ControllerRevision> revisions) =>
        [.. revisions.OrderBy(r => r.Revision).ThenBy(r => r.Metadata.CreationTimestamp).ThenBy(r => r.Metadata.Name, StringComparer.Ordinal)];

    /// <summary>The revision of a template is always the newest: one that is back is numbered anew.</summary>
    /// <param name="revisions">The owner's revisions, oldest first.</param>
    /// <param name="data">What the template's revision holds.</param>
    public static RevisionPlan Decide(IReadOnlyList<V1ControllerRevision> revisions, JsonObject data)
    {
        var next = revisions.Count == 0 ? 1 : (revisions[^1].Revision ?? 0) + 1;
        var found = revisions.LastOrDefault(r => Holds(r, data));
        return new RevisionPlan(found, found is null || found != revisions[^1] ? next : found.Revision ?? 0);
    }

    /// <summary>True where a revision holds just that.</summary>
    public static bool Holds(V1ControllerRevision revision, JsonObject data) => JsonNode.DeepEquals(DataOf(revision), data);

    /// <summary>A new revision.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="reference">The reference to it.</param>
    /// <param name="template">Its template; the labels of it are the revision's.</param>
    /// <param name="number">Its number.</param>
    /// <param name="collisions">How often the name was taken by another.</param>
    public static V1ControllerRevision Make(IKubernetesObject<V1ObjectMeta> owner, V1OwnerReference reference, V1PodTemplateSpec template, long number, int collisions)
    {
        var data = DataOf(template);
        var hash = ShortHash.Of(data, collisions);
        return new V1ControllerRevision
        {
            ApiVersion = "apps/v1",
            Kind = "ControllerRevision",
            Metadata = new V1ObjectMeta
            {
                Name = $"{owner.Metadata.Name}-{hash}",
                NamespaceProperty = owner.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>(template.Metadata?.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [Hash] = hash, [PodRevision] = hash },
                Annotations = owner.Metadata.Annotations is { } annotations ? new Dictionary<string, string>(annotations, StringComparer.Ordinal) : null,
                OwnerReferences = [reference],
            },
            Data = data,
            Revision = number,
        };
    }

    /// <summary>The oldest revisions past the limit, of those that nothing uses.</summary>
    public static IReadOnlyList<V1ControllerRevision> Surplus(IReadOnlyList<V1ControllerRevision> revisions, IReadOnlySet<string> live, int limit)
    {
        var unused = revisions.Where(r => !live.Contains(r.Metadata.Name)).ToList();
        return [.. unused.Take(unused.Count - limit)];
    }
}
