using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>What required terms between pods mean for one pod: counted over all nodes once, asked for each node. Immutable.</summary>
internal sealed class AffinityCounts
{
    private readonly HashSet<(string Key, string Value)> _together = [];
    private readonly HashSet<(string Key, string Value)> _apart = [];
    private readonly HashSet<(string Key, string Value)> _forbidden = [];
    private readonly PodView _pod;
    private readonly bool _first;

    private AffinityCounts(PodView pod, ClusterView cluster)
    {
        _pod = pod;
        foreach (var node in cluster.Nodes)
        {
            CountOwnTerms(node, cluster);
            CountOthersTerms(node, cluster);
        }

        // The first pod of a group that wants to be together may start anywhere: nobody matches yet, but it matches itself.
        _first = pod.Affinity.Length > 0 && _together.Count == 0 && Array.TrueForAll(pod.Affinity, t => PodTerms.Matches(t, pod, pod, cluster));
    }

    public static AffinityCounts Of(PodView pod, ClusterView cluster) => new(pod, cluster);

    /// <summary>True where the pods that the pod wants beside itself are in the node's domains.</summary>
    public bool HasCompany(NodeView node) => Array.TrueForAll(_pod.Affinity, t => node.Label(t.TopologyKey) is { } domain && (_first || _together.Contains((t.TopologyKey, domain))));

    /// <summary>True where a pod that the pod avoids is in a domain of the node.</summary>
    public bool HasAvoided(NodeView node) => Array.Exists(_pod.AntiAffinity, t => node.Label(t.TopologyKey) is { } domain && _apart.Contains((t.TopologyKey, domain)));

    /// <summary>True where a pod in a domain of the node avoids the pod.</summary>
    public bool IsForbidden(NodeView node) => _forbidden.Count > 0 && _forbidden.Any(f => node.Label(f.Key) == f.Value);

    private void CountOwnTerms(NodeView node, ClusterView cluster)
    {
        if (_pod.Affinity.Length + _pod.AntiAffinity.Length == 0)
        {
            return;
        }

        foreach (var other in node.Pods)
        {
            // As upstream: a pod is company only where it matches all terms.
            if (_pod.Affinity.Length > 0 && Array.TrueForAll(_pod.Affinity, t => PodTerms.Matches(t, _pod, other, cluster)))
            {
                Mark(_together, _pod.Affinity, node);
            }

            Mark(_apart, _pod.AntiAffinity.Where(t => PodTerms.Matches(t, _pod, other, cluster)), node);
        }
    }

    private void CountOthersTerms(NodeView node, ClusterView cluster)
    {
        foreach (var other in node.WithTerms)
        {
            Mark(_forbidden, other.AntiAffinity.Where(t => PodTerms.Matches(t, other, _pod, cluster)), node);
        }
    }

    private static void Mark(HashSet<(string, string)> domains, IEnumerable<V1PodAffinityTerm> terms, NodeView node)
    {
        foreach (var term in terms)
        {
            if (node.Label(term.TopologyKey) is { } domain)
            {
                domains.Add((term.TopologyKey, domain));
            }
        }
    }
}
