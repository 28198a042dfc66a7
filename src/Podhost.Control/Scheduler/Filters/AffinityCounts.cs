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
        if (_terms.Affinity.Length + _terms.AntiAffinity.Length == 0)
        {
            return;
        }

        foreach (var (other, places) in cluster.Traits.All)
        {
            // As upstream: a pod is company only where it matches all terms.
            if (_terms.Affinity.Length > 0 && MatchesAll(other, cluster))
            {
                Array.ForEach(_terms.Affinity, t => Add(_together, cluster, places, t.TopologyKey));
            }

            foreach (var term in _terms.AntiAffinity)
            {
                if (PodTerms.Matches(term, own, other, cluster))
                {
                    Add(_apart, cluster, places, term.TopologyKey);
                }
            }
        }
    }

    private void CountOthersTerms(PodTraits own, ClusterView cluster)
    {
        foreach (var (terms, places) in cluster.Terms.All)
        {
            foreach (var term in terms.AntiAffinity)
            {
                if (PodTerms.Matches(term, terms.Owner, own, cluster))
                {
                    Add(_forbidden, cluster, places, term.TopologyKey);
                }
            }
        }
    }

    private static void Add(Domains domains, ClusterView cluster, int[] places, string key)
    {
        foreach (var at in places)
        {
            domains.Add(cluster.Nodes[at], key, 1);
        }
    }

    private bool MatchesAll(PodTraits other, ClusterView cluster) => Array.TrueForAll(_terms.Affinity, t => PodTerms.Matches(t, _terms.Owner, other, cluster));
}
