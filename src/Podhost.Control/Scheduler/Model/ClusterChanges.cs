using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>What changed between two versions of an object. Pure. A heartbeat of a node changes nothing that a filter looks at.</summary>
internal static class ClusterChanges
{
    public static ClusterChange Of(V1Node? before, V1Node? after)
    {
        if (before is null || after is null)
        {
            return before is null ? ClusterChange.NodeAdded : ClusterChange.NodeRemoved;
        }

        return When(!Same(before.Status?.Allocatable, after.Status?.Allocatable), ClusterChange.NodeAllocatable)
            | When(!Same(before.Metadata.Labels, after.Metadata.Labels), ClusterChange.NodeLabels)
            | When(Unschedulable(before) != Unschedulable(after) || !Taints(before).SequenceEqual(Taints(after)), ClusterChange.NodeTaints);
    }

    /// <summary>Between two versions of a pod that has a node; null: it is not there.</summary>
    public static ClusterChange OfPlaced(V1Pod? before, V1Pod? after)
    {
        if (before is null || !HasPlace(before))
        {
            return When(HasPlace(after), ClusterChange.PodPlaced);
        }

        if (after is null || !HasPlace(after))
        {
            return ClusterChange.PodGone;
        }

        return When(before.Metadata.DeletionTimestamp is null && after.Metadata.DeletionTimestamp is not null, ClusterChange.PodLeaving)
            | When(!Same(before.Metadata.Labels, after.Metadata.Labels), ClusterChange.PodPlaced)
            | When(before.Metadata.Generation != after.Metadata.Generation || !Same(PodResources.RequestsInForce(before), PodResources.RequestsInForce(after)), ClusterChange.PodResized);
    }

    public static ClusterChange Of(V1Namespace? before, V1Namespace? after) => When(!Same(before?.Metadata.Labels, after?.Metadata.Labels), ClusterChange.Namespaces);

    private static bool HasPlace(V1Pod? pod) => pod is not null && !string.IsNullOrEmpty(pod.Spec.NodeName) && pod.Status?.Phase is not ("Succeeded" or "Failed");

    private static bool Unschedulable(V1Node node) => node.Spec?.Unschedulable == true;

    private static IEnumerable<(string?, string?, string?)> Taints(V1Node node) => (node.Spec?.Taints ?? []).Select(t => ((string?)t.Key, (string?)t.Value, (string?)t.Effect));

    private static bool Same(IDictionary<string, string>? a, IDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? new Dictionary<string, string>()).All(e => b!.TryGetValue(e.Key, out var v) && v == e.Value);

    private static bool Same(IDictionary<string, ResourceQuantity>? a, IDictionary<string, ResourceQuantity>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? new Dictionary<string, ResourceQuantity>()).All(e => b!.TryGetValue(e.Key, out var v) && v?.ToString() == e.Value?.ToString());

    private static bool Same(IReadOnlyDictionary<string, decimal> a, IReadOnlyDictionary<string, decimal> b) => a.Count == b.Count && a.All(e => b.Get(e.Key) == e.Value);

    private static ClusterChange When(bool holds, ClusterChange change) => holds ? change : ClusterChange.None;
}
