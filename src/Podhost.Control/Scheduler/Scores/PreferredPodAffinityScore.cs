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
        var domains = new Dictionary<(string Key, string Value), long>();
        foreach (var node in cycle.Cluster.Nodes)
        {
            CountOwn(cycle, node, domains);
            CountOthers(cycle, node, domains);
        }

        return domains.Count == 0 ? null : Normalization.ByRange([.. nodes.Select(n => domains.Sum(d => n.Label(d.Key.Key) == d.Key.Value ? d.Value : 0))]);
    }

    private static void CountOwn(PodCycle cycle, NodeView node, Dictionary<(string, string), long> domains)
    {
        var pod = cycle.Pod;
        if (pod.PreferredAffinity.Length + pod.PreferredAntiAffinity.Length == 0)
        {
            return;
        }

        foreach (var other in node.Pods)
        {
            AddAll(pod.PreferredAffinity, 1, pod, other);
            AddAll(pod.PreferredAntiAffinity, -1, pod, other);
        }

        void AddAll(V1WeightedPodAffinityTerm[] terms, int sign, PodView owner, PodView candidate)
        {
            foreach (var term in terms)
            {
                Add(domains, term.PodAffinityTerm, sign * term.Weight, node, PodTerms.Matches(term.PodAffinityTerm, owner, candidate, cycle.Cluster));
            }
        }
    }

    private static void CountOthers(PodCycle cycle, NodeView node, Dictionary<(string, string), long> domains)
    {
        foreach (var other in node.WithTerms)
        {
            foreach (var term in other.Affinity)
            {
                Add(domains, term, 1, node, PodTerms.Matches(term, other, cycle.Pod, cycle.Cluster));
            }

            foreach (var term in other.PreferredAffinity)
            {
                Add(domains, term.PodAffinityTerm, term.Weight, node, PodTerms.Matches(term.PodAffinityTerm, other, cycle.Pod, cycle.Cluster));
            }

            foreach (var term in other.PreferredAntiAffinity)
            {
                Add(domains, term.PodAffinityTerm, -term.Weight, node, PodTerms.Matches(term.PodAffinityTerm, other, cycle.Pod, cycle.Cluster));
            }
        }
    }

    private static void Add(Dictionary<(string, string), long> domains, V1PodAffinityTerm term, long weight, NodeView node, bool matches)
    {
        if (matches && node.Label(term.TopologyKey) is { } domain)
        {
            domains[(term.TopologyKey, domain)] = domains.GetValueOrDefault((term.TopologyKey, domain)) + weight;
        }
    }
}
