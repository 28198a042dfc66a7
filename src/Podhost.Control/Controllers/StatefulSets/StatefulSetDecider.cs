using k8s.Models;
using Podhost.Control.Controllers.Deployments;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>The names of a set's two revisions.</summary>
/// <param name="Current">The one that it comes from.</param>
/// <param name="Update">The one of its template.</param>
internal sealed record StatefulRevisions(string Current, string Update);

/// <summary>A pod that is missing.</summary>
/// <param name="Ordinal">Its ordinal.</param>
/// <param name="IsUpdated">True: of the update revision; false: of the current one.</param>
internal readonly record struct MissingPod(long Ordinal, bool IsUpdated);

/// <summary>What one look at a set leads to, in this order.</summary>
/// <param name="Tidy">Pods whose labels and claims must be as they should be.</param>
/// <param name="Create">Pods to create.</param>
/// <param name="Delete">Pods to delete.</param>
/// <param name="WakeAfter">When a pod becomes available with nobody telling; null for never.</param>
internal sealed record StatefulPlan(IReadOnlyList<V1Pod> Tidy, IReadOnlyList<MissingPod> Create, IReadOnlyList<V1Pod> Delete, TimeSpan? WakeAfter);

/// <summary>
/// Pure decisions about a StatefulSet: pods come in the order of their ordinals, each when those before it are available, and go in the
/// opposite order; under Parallel they wait for nobody. Source: upstream's updateStatefulSet.
/// </summary>
internal sealed class StatefulSetDecider
{
    /// <summary>The most pods that one look at a set makes.</summary>
    public const int Burst = 500;

    private readonly V1StatefulSet _set;
    private readonly StatefulRevisions _revisions;
    private readonly DateTimeOffset _now;
    private readonly SortedDictionary<long, V1Pod> _members = [];
    private readonly List<V1Pod> _condemned;
    private readonly List<V1Pod> _tidy = [];
    private readonly List<MissingPod> _create = [];
    private readonly List<V1Pod> _delete = [];
    private readonly long _start;
    private readonly long _replicas;
    private readonly bool _ordered;

    private StatefulSetDecider(V1StatefulSet set, IReadOnlyList<V1Pod> pods, StatefulRevisions revisions, DateTimeOffset now)
    {
        (_set, _revisions, _now) = (set, revisions, now);
        (_start, _replicas, _ordered) = (set.Spec.Ordinals?.Start ?? 0, set.Spec.Replicas ?? 1, set.Spec.PodManagementPolicy != "Parallel");
        var byOrdinal = pods.Select(p => (Pod: p, Ordinal: StatefulIdentity.OrdinalOf(set, p))).Where(p => p.Ordinal is not null).ToList();
        foreach (var (pod, ordinal) in byOrdinal.Where(p => IsMember(p.Ordinal!.Value)))
        {
            _members[ordinal!.Value] = pod;
        }

        _condemned = [.. byOrdinal.Where(p => !IsMember(p.Ordinal!.Value)).OrderByDescending(p => p.Ordinal).Select(p => p.Pod)];
    }

    /// <summary>What to do next.</summary>
    /// <param name="set">The set; nothing is done for one that is being deleted.</param>
    /// <param name="pods">Its pods.</param>
    /// <param name="revisions">Its revisions.</param>
    /// <param name="now">The time.</param>
    public static StatefulPlan Decide(V1StatefulSet set, IReadOnlyList<V1Pod> pods, StatefulRevisions revisions, DateTimeOffset now)
    {
        var decider = new StatefulSetDecider(set, pods, revisions, now);
        if (set.Metadata.DeletionTimestamp is null)
        {
            // Each part says whether the next one may follow.
            _ = decider.Fill() && decider.ScaleDown() && decider.Update();
        }

        return new StatefulPlan(decider._tidy, decider._create, decider._delete, PodStates.UntilNextAvailable(pods, set.Spec.MinReadySeconds ?? 0, now));
    }

    private bool IsMember(long ordinal) => ordinal >= _start && ordinal < _start + _replicas;

    private bool IsAvailable(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is null && pod.Status?.Phase == "Running" && PodStates.IsAvailable(pod, _set.Spec.MinReadySeconds ?? 0, _now, out _);

    /// <summary>Makes what is missing and replaces what has ended; true where nothing is in the way of what comes next.</summary>
    private bool Fill()
    {
        for (var ordinal = _start; ordinal < _start + _replicas && _create.Count < Burst; ordinal++)
        {
            if (!_members.TryGetValue(ordinal, out var pod))
            {
                _create.Add(new MissingPod(ordinal, IsUpdated(ordinal)));
                if (_ordered)
                {
                    return false;
                }

                continue;
            }

            if (PodStates.IsFinished(pod))
            {
                // Whatever its containers' exit codes: a pod that was stopped by force may look like one that succeeded.
                DeleteUnlessGoing(pod);
            }
            else
            {
                _tidy.Add(pod);
            }

            if (_ordered && !IsAvailable(pod))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes away what is beyond the last ordinal or before the first, the highest first.</summary>
    private bool ScaleDown()
    {
        _tidy.AddRange(_condemned);
        var firstUnavailable = _condemned.LastOrDefault(p => !IsAvailable(p));
        foreach (var pod in _condemned)
        {
            if (!_ordered)
            {
                DeleteUnlessGoing(pod);
                continue;
            }

            if (pod.Metadata.DeletionTimestamp is null && (IsAvailable(pod) || pod == firstUnavailable))
            {
                _delete.Add(pod);
            }

            return false;
        }

        return true;
    }

    /// <summary>
    /// Deletes pods of another revision, the highest ordinal first, as many as may be missing at once. One that is not available anyway costs
    /// nothing: a broken update can be followed by a good one.
    /// </summary>
    private bool Update()
    {
        var strategy = _set.Spec.UpdateStrategy;
        if (strategy?.Type == "OnDelete")
        {
            return true;
        }

        var partition = _start + (strategy?.RollingUpdate?.Partition ?? 0);
        var left = MaxUnavailable() - (_replicas - _members.Count) - _members.Values.Count(p => !IsAvailable(p));
        foreach (var (ordinal, pod) in _members.Reverse().Where(m => m.Key >= partition && StatefulIdentity.RevisionOf(m.Value) != _revisions.Update))
        {
            if (pod.Metadata.DeletionTimestamp is not null || _delete.Contains(pod))
            {
                continue;
            }

            if (!IsAvailable(pod))
            {
                _delete.Add(pod);
            }
            else if (left-- > 0)
            {
                _delete.Add(pod);
            }
            else
            {
                break;
            }
        }

        return true;
    }

    private long MaxUnavailable() =>
        Math.Max(1, RolloutNumbers.Resolve(_set.Spec.UpdateStrategy?.RollingUpdate?.MaxUnavailable?.Value ?? "1", (int)_replicas, up: false));

    // Below the partition the pods stay at the revision that the set comes from.
    private bool IsUpdated(long ordinal) =>
        _set.Spec.UpdateStrategy?.Type == "OnDelete" || ordinal >= _start + (_set.Spec.UpdateStrategy?.RollingUpdate?.Partition ?? 0);

    private void DeleteUnlessGoing(V1Pod pod)
    {
        if (pod.Metadata.DeletionTimestamp is null)
        {
            _delete.Add(pod);
        }
    }
}
