using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Required affinity and anti-affinity between pods, also the anti-affinity of pods that are there already.</summary>
internal sealed class PodAffinityFilter : INodeFilter
{
    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster)
    {
        if (!AffinityHolds(pod, node, cluster))
        {
            return ["node(s) didn't match pod affinity rules"];
        }

        if (Terms(pod.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution).Any(t => InDomain(t, pod, node, cluster)))
        {
            return ["node(s) didn't match pod anti-affinity rules"];
        }

        return ExistingForbid(pod, node, cluster) ? ["node(s) didn't satisfy existing pods anti-affinity rules"] : [];
    }

    private static bool AffinityHolds(PodView pod, NodeView node, ClusterView cluster)
    {
        foreach (var term in Terms(pod.Spec.Affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution))
        {
            if (node.Label(term.TopologyKey) is null)
            {
                return false;
            }

            // The first pod of a group that wants to be together may start anywhere: nobody matches yet, but it matches itself.
            var anywhere = cluster.Nodes.SelectMany(n => n.Pods).Any(p => PodTerms.Matches(term, pod, p, cluster));
            if (!InDomain(term, pod, node, cluster) && (anywhere || !PodTerms.Matches(term, pod, pod, cluster)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool InDomain(V1PodAffinityTerm term, PodView pod, NodeView node, ClusterView cluster) =>
        node.Label(term.TopologyKey) is { } domain
        && cluster.Nodes.Any(n => n.Label(term.TopologyKey) == domain && n.Pods.Any(p => PodTerms.Matches(term, pod, p, cluster)));

    private static bool ExistingForbid(PodView pod, NodeView node, ClusterView cluster) =>
        cluster.Nodes.Any(other => other.Pods.Any(existing =>
            Terms(existing.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution).Any(term =>
                node.Label(term.TopologyKey) is { } domain
                && other.Label(term.TopologyKey) == domain
                && PodTerms.Matches(term, existing, pod, cluster))));

    private static IList<V1PodAffinityTerm> Terms(IList<V1PodAffinityTerm>? terms) => terms ?? [];
}
