using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Preferred node affinity: the share of the weights of the terms that the node matches.</summary>
internal sealed class PreferredNodeAffinityScore : INodeScore
{
    public int Weight => 2;

    public double Score(PodView pod, NodeView node, ClusterView cluster)
    {
        var preferred = pod.Spec.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [];
        var total = preferred.Sum(p => p.Weight);
        return total <= 0 ? 0 : 100.0 * preferred.Where(p => NodeSelectorTerms.Matches(p.Preference, node)).Sum(p => p.Weight) / total;
    }
}

/// <summary>Preferred affinity and anti-affinity between pods: weights of the matching terms in the node's domains.</summary>
internal sealed class PreferredPodAffinityScore : INodeScore
{
    public int Weight => 2;

    public double Score(PodView pod, NodeView node, ClusterView cluster)
    {
        var together = pod.Spec.Affinity?.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [];
        var apart = pod.Spec.Affinity?.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [];
        var total = together.Sum(t => t.Weight) + apart.Sum(t => t.Weight);
        if (total <= 0)
        {
            return 0;
        }

        var points = together.Where(t => InDomain(t.PodAffinityTerm, pod, node, cluster)).Sum(t => t.Weight)
            + apart.Where(t => !InDomain(t.PodAffinityTerm, pod, node, cluster)).Sum(t => t.Weight);
        return 100.0 * points / total;
    }

    private static bool InDomain(k8s.Models.V1PodAffinityTerm term, PodView pod, NodeView node, ClusterView cluster) =>
        node.Label(term.TopologyKey) is { } domain
        && cluster.Nodes.Any(n => n.Label(term.TopologyKey) == domain && n.Pods.Any(p => PodTerms.Matches(term, pod, p, cluster)));
}
