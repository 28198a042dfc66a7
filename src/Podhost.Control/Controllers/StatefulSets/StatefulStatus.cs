using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>The status of a StatefulSet. Pure. Source: upstream's updateStatus and completeRollingUpdate.</summary>
internal static class StatefulStatus
{
    /// <summary>The status that the pods make.</summary>
    /// <param name="set">The set.</param>
    /// <param name="pods">Its pods.</param>
    /// <param name="revisions">Its revisions.</param>
    /// <param name="collisions">How often names of revisions were taken.</param>
    /// <param name="now">The time.</param>
    public static V1StatefulSetStatus Of(V1StatefulSet set, IReadOnlyList<V1Pod> pods, StatefulRevisions revisions, int collisions, DateTimeOffset now)
    {
        var ready = pods.Where(p => p.Status?.Phase == "Running" && PodStates.IsReady(p)).ToList();
        var staying = pods.Where(p => p.Metadata.DeletionTimestamp is null).Select(StatefulIdentity.RevisionOf).ToList();
        var status = new V1StatefulSetStatus
        {
            ObservedGeneration = set.Metadata.Generation ?? 0,
            Replicas = pods.Count,
            ReadyReplicas = ready.Count,
            AvailableReplicas = ready.Count(p => PodStates.IsAvailable(p, set.Spec.MinReadySeconds ?? 0, now, out _)),
            CurrentReplicas = staying.Count(r => r == revisions.Current),
            UpdatedReplicas = staying.Count(r => r == revisions.Update),
            CurrentRevision = revisions.Current,
            UpdateRevision = revisions.Update,
            CollisionCount = collisions,
            Conditions = set.Status?.Conditions,
        };
        if (IsComplete(set, status))
        {
            (status.CurrentReplicas, status.CurrentRevision) = (status.UpdatedReplicas, status.UpdateRevision);
        }

        return status;
    }

    // All there is is updated and ready: the set comes from this revision now.
    private static bool IsComplete(V1StatefulSet set, V1StatefulSetStatus status)
    {
        var wanted = set.Spec.Replicas ?? 1;
        return set.Spec.UpdateStrategy?.Type != "OnDelete" && status.UpdatedReplicas == wanted && status.ReadyReplicas == wanted && status.Replicas == wanted;
    }
}
