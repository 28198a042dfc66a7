using k8s.Models;
using Podhost.Control.Controllers.Deployments;
using Podhost.Control.Controllers.StatefulSets;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.DaemonSets;

/// <summary>What one look at a set leads to.</summary>
/// <param name="Create">Nodes that get a pod.</param>
/// <param name="Delete">Pods to delete.</param>
/// <param name="Ended">Pods that ended, to be deleted too: failed ones not at once where they fail again and again.</param>
/// <param name="WakeAfter">When a pod becomes available with nobody telling; null for never.</param>
internal sealed record DaemonPlan(IReadOnlyList<string> Create, IReadOnlyList<V1Pod> Delete, IReadOnlyList<V1Pod> Ended, TimeSpan? WakeAfter);

/// <summary>
/// Pure decisions about a DaemonSet: a pod on each node that shall have one, none elsewhere, and an update node by node.
/// Source: upstream's podsShouldBeOnNode and rollingUpdate.
/// </summary>
internal sealed class DaemonSetDecider
{
    /// <summary>The most pods that one look at a set makes or deletes.</summary>
    public const int Burst = 250;

    private readonly V1DaemonSet _set;
    private readonly string _hash;
    private readonly DateTimeOffset _now;
    private readonly ILookup<string, V1Pod> _byNode;
    private readonly List<string> _create = [];
    private readonly List<V1Pod> _delete = [];
    private readonly List<V1Pod> _ended = [];
    private readonly List<string> _nodes = [];
    private readonly int _maxUnavailable;
    private readonly int _maxSurge;

    private DaemonSetDecider(V1DaemonSet set, IReadOnlyList<V1Node> nodes, IReadOnlyList<V1Pod> pods, string hash, DateTimeOffset now)
    {
        (_set, _hash, _now) = (set, hash, now);
        _byNode = pods.ToLookup(DaemonPods.NodeOf);
        var placed = nodes.Select(n => (n.Metadata.Name, Place: DaemonPods.PlaceOn(set, n))).ToList();
        _nodes.AddRange(placed.Where(n => n.Place.ShouldRun).Select(n => n.Name));
        var rolling = set.Spec.UpdateStrategy?.RollingUpdate;
        _maxUnavailable = RolloutNumbers.Resolve(rolling?.MaxUnavailable?.Value ?? "1", _nodes.Count, up: true);
        _maxSurge = RolloutNumbers.Resolve(rolling?.MaxSurge?.Value ?? "0", _nodes.Count, up: true);
        foreach (var (name, place) in placed)
        {
            Manage(name, place.ShouldRun, place.MayStay);
        }

        // Pods that wait for a node which is gone would wait for ever.
        var known = placed.Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        _delete.AddRange(pods.Where(p => string.IsNullOrEmpty(p.Spec.NodeName) && p.Metadata.DeletionTimestamp is null && !known.Contains(DaemonPods.NodeOf(p))));
    }

    /// <summary>What to do next.</summary>
    /// <param name="set">The set; nothing is done for one that is being deleted.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="pods">The set's pods.</param>
    /// <param name="hash">The hash of the revision of its template.</param>
    /// <param name="now">The time.</param>
    public static DaemonPlan Decide(V1DaemonSet set, IReadOnlyList<V1Node> nodes, IReadOnlyList<V1Pod> pods, string hash, DateTimeOffset now)
    {
        var wake = PodStates.UntilNextAvailable(pods, set.Spec.MinReadySeconds ?? 0, now);
        if (set.Metadata.DeletionTimestamp is not null)
        {
            return new DaemonPlan([], [], [], wake);
        }

        var decider = new DaemonSetDecider(set, nodes, pods, hash, now);
        if (decider._create.Count + decider._delete.Count == 0 && set.Spec.UpdateStrategy?.Type != "OnDelete")
        {
            decider.Update();
        }

        return new DaemonPlan([.. decider._create.Take(Burst)], [.. decider._delete.Take(Burst)], decider._ended, wake);
    }

    private bool IsNew(V1Pod pod) => StatefulIdentity.RevisionOf(pod) == _hash;

    private bool IsAvailable(V1Pod pod) => PodStates.IsAvailable(pod, _set.Spec.MinReadySeconds ?? 0, _now, out _);

    private void Manage(string node, bool shouldRun, bool mayStay)
    {
        var pods = _byNode[node].ToList();
        if (shouldRun && pods.Count == 0)
        {
            _create.Add(node);
            return;
        }

        var staying = pods.Where(p => p.Metadata.DeletionTimestamp is null).ToList();
        if (!mayStay)
        {
            _delete.AddRange(staying);
            return;
        }

        _ended.AddRange(staying.Where(PodStates.IsFinished));
        var running = staying.Where(p => !PodStates.IsFinished(p)).OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        if (running.Count > 1)
        {
            _delete.AddRange(_maxSurge == 0 ? running.Skip(1) : Superseded(running));
        }
    }

    // With a surge the old pod stays until the new one is available.
    private IEnumerable<V1Pod> Superseded(List<V1Pod> running)
    {
        var (newest, oldest) = (running.Find(IsNew), running.Find(p => !IsNew(p)));
        var needless = running.Where(p => p != newest && p != oldest).ToList();
        if (newest is not null && oldest is not null && (!PodStates.IsReady(oldest) || IsAvailable(newest)))
        {
            needless.Add(oldest);
        }

        return needless;
    }

    private void Update()
    {
        var (missing, surging) = (0, 0);
        var (broken, candidates) = (new List<(string Node, V1Pod Pod)>(), new List<(string Node, V1Pod Pod)>());
        foreach (var node in _nodes)
        {
            var pods = _byNode[node].Where(PodStates.IsActive).ToList();
            var (fresh, old) = (pods.Find(IsNew), pods.Find(p => !IsNew(p)));
            if (fresh is not null || old is null)
            {
                missing += fresh is null || !IsAvailable(fresh) ? 1 : 0;
                surging += fresh is not null && old is not null ? 1 : 0;
            }
            else if (IsAvailable(old))
            {
                candidates.Add((node, old));
            }
            else
            {
                missing += _maxSurge == 0 ? 1 : 0;
                broken.Add((node, old));
            }
        }

        // What does not work anyway costs nothing.
        if (_maxSurge == 0)
        {
            _delete.AddRange(broken.Concat(candidates.Take(Math.Max(0, _maxUnavailable - missing))).Select(c => c.Pod));
        }
        else
        {
            _create.AddRange(broken.Concat(candidates.Take(Math.Max(0, _maxSurge - surging))).Select(c => c.Node));
        }
    }
}
