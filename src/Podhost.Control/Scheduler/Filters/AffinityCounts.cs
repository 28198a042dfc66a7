using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>What required terms between pods mean for one pod: counted over all nodes once, asked for each node. Immutable.</summary>
internal sealed class AffinityCounts
{
    private readonly Domains _together = new();
    private readonly Domains _apart = new();
    private readonly Domains _forbidden = new();
    private readonly PodTermSet _terms;
    private readonly bool _first;

    private AffinityCounts(PodView pod, ClusterView cluster)
    {
        _terms = pod.Terms;
        CountOwnTerms(pod.Traits, cluster);
        CountOthersTerms(pod.Traits, cluster);

        // The first pod of a group that wants to be together may start anywhere: nobody matches yet, but it matches itself.
        _first = _terms.Affinity.Length > 0 && _together.IsEmpty && MatchesAll(pod.Traits, cluster);
    }

    public static AffinityCounts Of(PodView pod, ClusterView cluster) => new(pod, cluster);

    /// <summary>True where the pods that the pod wants beside itself are in the node's domains.</summary>
    public bool HasCompany(NodeView node) =>
        Array.TrueForAll(_terms.Affinity, t => _first ? node.Label(t.TopologyKey) is not null : _together.Has(node, t.TopologyKey));

    /// <summary>True where a pod that the pod avoids is in a domain of the node.</summary>
    public bool HasAvoided(NodeView node) => Array.Exists(_terms.AntiAffinity, t => _apart.Has(node, t.TopologyKey));

    /// <summary>True where a pod in a domain of the node avoids the pod.</summary>
    public bool IsForbidden(NodeView node) => _forbidden.HasAny(node);

    private void CountOwnTerms(PodTraits own, ClusterView cluster)
    {
        // As upstream: a pod is company only where it matches all terms.
        var company = _terms.Affinity.Length > 0 ? new TraitsMatcher(other => MatchesAll(other, cluster)) : null;
        var avoided = Array.ConvertAll(_terms.AntiAffinity, t => (t.TopologyKey, Pods: new TraitsMatcher(other => PodTerms.Matches(t, own, other, cluster))));
        foreach (var node in company is null && avoided.Length == 0 ? [] : cluster.Nodes)
        {
            if (company?.AnyOn(node) == true)
            {
                Array.ForEach(_terms.Affinity, t => _together.Add(node, t.TopologyKey, 1));
            }

            foreach (var (key, pods) in avoided)
            {
                if (pods.AnyOn(node))
                {
                    _apart.Add(node, key, 1);
                }
            }
        }
    }

    private void CountOthersTerms(PodTraits own, ClusterView cluster)
    {
        var meaning = new Dictionary<PodTermSet, V1PodAffinityTerm[]>();
        foreach (var node in cluster.Nodes)
        {
            foreach (var (terms, _) in node.Terms.Counts)
            {
                if (!meaning.TryGetValue(terms, out var meant))
                {
                    meaning.Add(terms, meant = Array.FindAll(terms.AntiAffinity, t => PodTerms.Matches(t, terms.Owner, own, cluster)));
                }

                foreach (var term in meant)
                {
                    _forbidden.Add(node, term.TopologyKey, 1);
                }
            }
        }
    }

    private bool MatchesAll(PodTraits other, ClusterView cluster) => Array.TrueForAll(_terms.Affinity, t => PodTerms.Matches(t, _terms.Owner, other, cluster));
}
