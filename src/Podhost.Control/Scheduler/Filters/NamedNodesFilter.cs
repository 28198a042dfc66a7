using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>
/// Required node affinity that names its nodes, as that of a DaemonSet's pods: all others are out before anything else is asked.
/// Source: upstream's NodeAffinity.PreFilter, whose message it is.
/// </summary>
internal sealed class NamedNodesFilter : INodeFilter
{
    private static readonly Rejection Other = Rejection.Final("node(s) didn't satisfy plugin(s) [NodeAffinity]");

    public ClusterChange Wakes => ClusterChange.NodeAdded;

    public Rejection? Reject(PodCycle cycle, NodeView node) => cycle.NamedNodes is { } named && !named.Contains(node.Name) ? Other : null;

    /// <summary>The nodes that every term of a pod's required node affinity names; null where a term leaves them open.</summary>
    public static IReadOnlySet<string>? Of(V1PodSpec spec)
    {
        if (spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms is not { Count: > 0 } terms)
        {
            return null;
        }

        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var term in terms)
        {
            var lists = (term.MatchFields ?? []).Where(f => f is { Key: "metadata.name", OperatorProperty: "In" }).Select(f => f.Values ?? []).ToList();
            if (lists.Count == 0)
            {
                return null;
            }

            all.UnionWith(lists.Aggregate((a, b) => [.. a.Intersect(b)]));
        }

        return all;
    }
}
