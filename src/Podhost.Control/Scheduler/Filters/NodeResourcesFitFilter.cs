using Podhost.Api.Pods;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Requests against what is allocatable and not asked for yet.</summary>
internal sealed class NodeResourcesFitFilter : INodeFilter
{
    private const string Pods = "pods";

    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster)
    {
        if (node.Allocatable.TryGetValue(Pods, out var most) && node.Pods.Count + 1 > most)
        {
            yield return "Too many pods";
        }

        foreach (var (name, wanted) in pod.Requests.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            if (wanted > 0 && wanted > node.Allocatable.Get(name) - node.Requested.Get(name))
            {
                yield return $"Insufficient {name}";
            }
        }
    }
}
