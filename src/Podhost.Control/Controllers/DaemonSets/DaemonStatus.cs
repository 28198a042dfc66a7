using k8s.Models;
using Podhost.Control.Controllers.StatefulSets;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.DaemonSets;

/// <summary>The status of a DaemonSet: nodes are counted, not pods. Pure. Source: upstream's updateDaemonSetStatus.</summary>
internal static class DaemonStatus
{
    /// <summary>The status that nodes and pods make.</summary>
    /// <param name="set">The set.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="pods">The set's pods.</param>
    /// <param name="hash">The hash of the revision of its template.</param>
    /// <param name="collisions">How often names of revisions were taken.</param>
    /// <param name="now">The time.</param>
    public static V1DaemonSetStatus Of(
        V1DaemonSet set, IReadOnlyList<V1Node> nodes, IReadOnlyList<V1Pod> pods, string hash, int collisions, DateTimeOffset now)
    {
        var status = new V1DaemonSetStatus { ObservedGeneration = set.Metadata.Generation ?? 0, CollisionCount = collisions == 0 ? null : collisions, Conditions = set.Status?.Conditions };
        var byNode = pods.ToLookup(DaemonPods.NodeOf);
        var (updated, available) = (0, 0);
        foreach (var node in nodes)
        {
            var here = byNode[node.Metadata.Name].OrderBy(p => p.Metadata.CreationTimestamp).ToList();
            if (!DaemonPods.PlaceOn(set, node).ShouldRun)
            {
                status.NumberMisscheduled += here.Count > 0 ? 1 : 0;
                continue;
            }

            status.DesiredNumberScheduled++;
            if (here.Count == 0)
            {
                continue;
            }

            // Of two during a surge the one that works speaks for the node.
            var pod = here.Find(p => PodStates.IsReady(p) && p.Metadata.DeletionTimestamp is null) ?? here[0];
            var isAvailable = PodStates.IsAvailable(pod, set.Spec.MinReadySeconds ?? 0, now, out _);
            status.CurrentNumberScheduled++;
            status.NumberReady += PodStates.IsReady(pod) ? 1 : 0;
            available += isAvailable ? 1 : 0;
            updated += here.Any(p => StatefulIdentity.RevisionOf(p) == hash) ? 1 : 0;
        }

        // Numbers of 0 are left out, as upstream does.
        status.UpdatedNumberScheduled = updated == 0 ? null : updated;
        status.NumberAvailable = available == 0 ? null : available;
        status.NumberUnavailable = status.DesiredNumberScheduled == available ? null : status.DesiredNumberScheduled - available;
        return status;
    }
}
