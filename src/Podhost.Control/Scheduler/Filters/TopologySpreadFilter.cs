using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>topologySpreadConstraints with whenUnsatisfiable DoNotSchedule: no domain may hold maxSkew more matching pods than the emptiest one.</summary>
internal sealed class TopologySpreadFilter : INodeFilter
{
    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster)
    {
        foreach (var constraint in (pod.Spec.TopologySpreadConstraints ?? []).Where(c => c.WhenUnsatisfiable == "DoNotSchedule"))
        {
            if (node.Label(constraint.TopologyKey) is not { } domain)
            {
                return ["node(s) didn't match pod topology spread constraints (missing required label)"];
            }

            if (Skew(constraint, pod, domain, cluster) > constraint.MaxSkew)
            {
                return ["node(s) didn't match pod topology spread constraints"];
            }
        }

        return [];
    }

    private static int Skew(V1TopologySpreadConstraint constraint, PodView pod, string domain, ClusterView cluster)
    {
        var counts = cluster.Nodes
            .Where(n => n.Label(constraint.TopologyKey) is not null && Counts(constraint, pod, n, cluster))
            .GroupBy(n => n.Label(constraint.TopologyKey)!)
            .ToDictionary(g => g.Key, g => g.SelectMany(n => n.Pods).Count(p => Matches(constraint, pod, p)));
        var least = counts.Count == 0 || counts.Count < (constraint.MinDomains ?? 1) ? 0 : counts.Values.Min();
        var self = LabelSelectors.Matches(constraint.LabelSelector, pod.Labels) ? 1 : 0;
        return counts.GetValueOrDefault(domain) + self - least;
    }

    // nodeAffinityPolicy is Honor and nodeTaintsPolicy Ignore unless said otherwise.
    private static bool Counts(V1TopologySpreadConstraint constraint, PodView pod, NodeView node, ClusterView cluster) =>
        (constraint.NodeAffinityPolicy == "Ignore" || !new NodeAffinityFilter().Reject(pod, node, cluster).Any())
        && (constraint.NodeTaintsPolicy != "Honor" || !new TaintTolerationFilter().Reject(pod, node, cluster).Any());

    private static bool Matches(V1TopologySpreadConstraint constraint, PodView pod, PodView other) =>
        other.Namespace == pod.Namespace
        && !other.IsTerminating
        && LabelSelectors.Matches(constraint.LabelSelector, other.Labels)
        && (constraint.MatchLabelKeys ?? []).All(k => !pod.Labels.TryGetValue(k, out var v) || (other.Labels.TryGetValue(k, out var w) && v == w));
}
