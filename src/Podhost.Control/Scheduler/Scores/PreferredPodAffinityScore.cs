using k8s.Models;
using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>
/// Preferred affinity and anti-affinity between pods, the pod's own and those of the pods that are there: weights in the domains where both
/// would meet. A required affinity of a pod that is there counts 1 (upstream's hardPodAffinityWeight).
/// </summary>
internal sealed class PreferredPodAffinityScore : INodeScore
{
    public int Weight => 2;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var domains = new Domains();
        CountOwn(cycle, domains);
        CountOthers(cycle, domains);
        return domains.IsEmpty ? null : Normalization.ByRange([.. nodes.Select(domains.Sum)]);
    }

    private static void CountOwn(PodCycle cycle, Domains domains)
    {
        var terms = cycle.Pod.Terms;
        var wanted = Weighted(terms.PreferredAffinity, 1).Concat(Weighted(terms.PreferredAntiAffinity, -1)).ToList();
        if (wanted.Count == 0)
        {
            return;
        }

        foreach (var (other, places) in cycle.Cluster.Traits.All)
        {
            foreach (var (term, weight) in wanted.Where(w => PodTerms.Matches(w.Term, terms.Owner, other, cycle.Cluster)))
            {
                foreach (var node in places.Select(at => cycle.Cluster.Nodes[at]))
                {
                    domains.Add(node, term.TopologyKey, weight * node.Traits.CountOf(other));
                }
            }
        }
    }

    private static void CountOthers(PodCycle cycle, Domains domains)
    {
        foreach (var (terms, places) in cycle.Cluster.Terms.All)
        {
            foreach (var (term, weight) in All(terms).Where(t => PodTerms.Matches(t.Term, terms.Owner, cycle.Pod.Traits, cycle.Cluster)))
            {
                foreach (var node in places.Select(at => cycle.Cluster.Nodes[at]))
                {
                    domains.Add(node, term.TopologyKey, weight * node.Terms.CountOf(terms));
                }
            }
        }
    }

    private static IEnumerable<(V1PodAffinityTerm Term, long Weight)> All(PodTermSet terms) =>
        terms.Affinity.Select(t => (t, 1L)).Concat(Weighted(terms.PreferredAffinity, 1)).Concat(Weighted(terms.PreferredAntiAffinity, -1));

    private static IEnumerable<(V1PodAffinityTerm Term, long Weight)> Weighted(V1WeightedPodAffinityTerm[] terms, int sign) =>
        terms.Select(t => (t.PodAffinityTerm, (long)sign * t.Weight));
}
