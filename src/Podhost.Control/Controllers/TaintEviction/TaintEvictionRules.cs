using k8s.Models;
using Podhost.Control.Scheduler.Filters;

namespace Podhost.Control.Controllers.TaintEviction;

/// <summary>When a pod must leave a node that has NoExecute taints. Pure. Source: upstream's taint eviction controller.</summary>
internal static class TaintEvictionRules
{
    /// <summary>The moment; null where it may stay.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="node">Its node.</param>
    /// <param name="times">Since when the node has its taints; a pod that came later is counted from its own beginning.</param>
    /// <param name="now">The time.</param>
    public static DateTimeOffset? EvictAt(V1Pod pod, V1Node node, TaintTimes times, DateTimeOffset now)
    {
        DateTimeOffset? earliest = null;
        foreach (var taint in (node.Spec?.Taints ?? []).Where(t => t.Effect == "NoExecute"))
        {
            var tolerations = (pod.Spec.Tolerations ?? []).Where(t => Tolerations.Tolerates([t], taint)).ToList();
            if (tolerations.Count == 0)
            {
                return now;
            }

            // The shortest of those that cover the taint counts; one without seconds does not end.
            var seconds = tolerations.Where(t => t.TolerationSeconds is not null).Select(t => Math.Max(0, t.TolerationSeconds!.Value)).ToList();
            if (seconds.Count > 0)
            {
                var (since, born) = (times.Since(node.Metadata.Name, taint, now), BornAt(pod));
                var at = (born > since ? born : since).AddSeconds(Math.Min(seconds.Min(), int.MaxValue));
                earliest = earliest is null || at < earliest ? at : earliest;
            }
        }

        return earliest;
    }

    private static DateTimeOffset BornAt(V1Pod pod) =>
        pod.Metadata.CreationTimestamp is { } created ? new DateTimeOffset(created.ToUniversalTime()) : DateTimeOffset.MinValue;
}
