using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Namespaces;

/// <summary>The conditions of a namespace that is going. Pure. Types, reasons and messages are upstream's.</summary>
internal static class NamespaceConditions
{
    /// <summary>The conditions after a pass; one whose status did not change keeps its transition time.</summary>
    public static IList<V1NamespaceCondition> Of(V1Namespace ns, NamespaceContent content, DateTime now)
    {
        var present = ns.Status?.Conditions ?? [];
        var ours = Wanted(content).Select(c => Carry(c, present.FirstOrDefault(p => p.Type == c.Type), now)).ToList();
        return [.. present.Where(p => ours.All(o => o.Type != p.Type)), .. ours];
    }

    private static IEnumerable<V1NamespaceCondition> Wanted(NamespaceContent content)
    {
        yield return Fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered");
        yield return Fine("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed");
        yield return content.Failures.Count == 0
            ? Fine("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization")
            : Bad("NamespaceDeletionContentFailure", "ContentDeletionFailed",
                $"Failed to delete all resource types, {content.Failures.Count} remaining: {string.Join(", ", content.Failures)}");
        yield return content.Remaining.Count == 0
            ? Fine("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed")
            : Bad("NamespaceContentRemaining", "SomeResourcesRemain", $"Some resources are remaining: {string.Join(", ", Kinds(content))}");
        var finalizers = Finalizers(content).ToList();
        yield return finalizers.Count == 0
            ? Fine("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
            : Bad("NamespaceFinalizersRemaining", "SomeFinalizersRemain",
                $"Some content in the namespace has finalizers remaining: {string.Join(", ", finalizers)}");
    }

    private static IEnumerable<string> Kinds(NamespaceContent content) => content.Remaining
        .GroupBy(o => $"{o.Resource.Plural}.{o.Resource.Group}")
        .OrderBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => $"{g.Key} has {g.Count()} resource instances");

    private static IEnumerable<string> Finalizers(NamespaceContent content) => content.Remaining
        .SelectMany(o => o.Metadata.Finalizers ?? [])
        .GroupBy(f => f)
        .OrderBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => $"{g.Key} in {g.Count()} resource instances");

    private static V1NamespaceCondition Carry(V1NamespaceCondition wanted, V1NamespaceCondition? present, DateTime now)
    {
        wanted.LastTransitionTime = present?.Status == wanted.Status ? present.LastTransitionTime : now;
        return wanted;
    }

    private static V1NamespaceCondition Fine(string type, string reason, string message) =>
        new() { Type = type, Status = "False", Reason = reason, Message = message };

    private static V1NamespaceCondition Bad(string type, string reason, string message) =>
        new() { Type = type, Status = "True", Reason = reason, Message = message };
}
