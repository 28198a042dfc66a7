using k8s.Models;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>What a Deployment's ReplicaSets shall be next.</summary>
/// <param name="Sizes">The replicas of each set that is to change, by its name.</param>
/// <param name="NeedsNew">True where the set of the current template must be made first.</param>
internal sealed record RolloutPlan(IReadOnlyDictionary<string, int> Sizes, bool NeedsNew = false)
{
    public static RolloutPlan Nothing { get; } = new(new Dictionary<string, int>());
}

/// <summary>Pure decisions about the sizes of a Deployment's ReplicaSets. Source: upstream's deployment controller, rolling.go, recreate.go and sync.go.</summary>
internal static class RolloutDecider
{
    /// <summary>The next step.</summary>
    /// <param name="deployment">The Deployment.</param>
    /// <param name="sets">Its ReplicaSets.</param>
    /// <param name="current">The one of its template, or null.</param>
    /// <param name="oldPodsAlive">True where pods of other sets have not ended yet.</param>
    public static RolloutPlan Decide(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, bool oldPodsAlive)
    {
        var numbers = RolloutNumbers.Of(deployment);
        var old = sets.Where(s => s.Metadata.Uid != current?.Metadata.Uid).ToList();
        if (deployment.Spec.Paused == true || WasResized(deployment, sets))
        {
            return Scale(deployment, numbers, sets, current, old);
        }

        return deployment.Spec.Strategy?.Type == "Recreate" ? Recreate(numbers, current, old, oldPodsAlive) : Roll(numbers, sets, current, old);
    }

    private static RolloutPlan Recreate(RolloutNumbers numbers, V1ReplicaSet? current, List<V1ReplicaSet> old, bool oldPodsAlive)
    {
        var active = old.Where(s => Size(s) > 0).ToList();
        return active.Count > 0 ? new RolloutPlan(active.ToDictionary(s => s.Metadata.Name, _ => 0))
            : oldPodsAlive ? RolloutPlan.Nothing
            : current is null ? new RolloutPlan(RolloutPlan.Nothing.Sizes, NeedsNew: true)
            : Resize(current, numbers.Replicas);
    }

    private static RolloutPlan Roll(RolloutNumbers numbers, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, List<V1ReplicaSet> old)
    {
        if (current is null)
        {
            return new RolloutPlan(RolloutPlan.Nothing.Sizes, NeedsNew: true);
        }

        var size = NewSize(numbers, sets.Sum(Size), Size(current));
        return size != Size(current) ? Resize(current, size) : new RolloutPlan(ShrinkOld(numbers, sets, current, old));
    }

    /// <summary>How large the new set may be while the old ones have the size that they have.</summary>
    public static int NewSize(RolloutNumbers numbers, int all, int current) =>
        current > numbers.Replicas ? numbers.Replicas
        : all >= numbers.Most ? current
        : current + Math.Min(numbers.Most - all, numbers.Replicas - current);

    private static Dictionary<string, int> ShrinkOld(RolloutNumbers numbers, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet current, List<V1ReplicaSet> old)
    {
        var sizes = new Dictionary<string, int>();
        var newUnavailable = Size(current) - Available(current);
        var most = sets.Sum(Size) - numbers.MinAvailable - newUnavailable;
        if (most <= 0 || old.Sum(Size) == 0)
        {
            return sizes;
        }

        var oldest = old.OrderBy(s => s.Metadata.CreationTimestamp).ThenBy(s => s.Metadata.Name, StringComparer.Ordinal).ToList();
        var gone = 0;

        // First what does no good anyway.
        foreach (var set in oldest.Where(s => Size(s) > Available(s)))
        {
            var unhealthy = Math.Min(most - gone, Size(set) - Available(set));
            if (unhealthy > 0)
            {
                sizes[set.Metadata.Name] = Size(set) - unhealthy;
                gone += unhealthy;
            }
        }

        var spare = sets.Sum(Available) - numbers.MinAvailable;
        foreach (var set in oldest)
        {
            var size = sizes.GetValueOrDefault(set.Metadata.Name, Size(set));
            var less = Math.Min(size, spare);
            if (less > 0)
            {
                sizes[set.Metadata.Name] = size - less;
                spare -= less;
            }
        }

        return sizes;
    }

    /// <summary>True where the wanted number changed since the sets were last sized: that is spread over them, before a rollout goes on.</summary>
    private static bool WasResized(V1Deployment deployment, IEnumerable<V1ReplicaSet> sets) => sets.Any(s =>
        Size(s) > 0 && DeploymentNames.Number(s.Metadata, DeploymentNames.DesiredReplicas) is { } desired && desired != (deployment.Spec.Replicas ?? 1));

    private static RolloutPlan Scale(V1Deployment deployment, RolloutNumbers numbers, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, List<V1ReplicaSet> old)
    {
        var active = sets.Where(s => Size(s) > 0).ToList();
        if (active.Count <= 1)
        {
            var only = active.FirstOrDefault() ?? current ?? sets.MaxBy(s => s.Metadata.CreationTimestamp);
            return only is null ? RolloutPlan.Nothing : Resize(only, numbers.Replicas);
        }

        if (current is not null && IsSaturated(numbers, current))
        {
            return new RolloutPlan(old.Where(s => Size(s) > 0).ToDictionary(s => s.Metadata.Name, _ => 0));
        }

        return deployment.Spec.Strategy?.Type == "Recreate" ? RolloutPlan.Nothing : new RolloutPlan(Spread(numbers, active));
    }

    /// <summary>Spreads a new size over the sets, each by its share, so that a rollout in the middle stays where it is.</summary>
    private static Dictionary<string, int> Spread(RolloutNumbers numbers, List<V1ReplicaSet> active)
    {
        var allowed = numbers.Replicas > 0 ? numbers.Most : 0;
        var change = allowed - active.Sum(Size);
        var ordered = change > 0
            ? active.OrderByDescending(Size).ThenByDescending(s => s.Metadata.CreationTimestamp).ToList()
            : [.. active.OrderByDescending(Size).ThenBy(s => s.Metadata.CreationTimestamp)];
        var (sizes, done) = (new Dictionary<string, int>(), 0);
        foreach (var set in ordered)
        {
            var share = change == 0 ? 0 : Share(set, numbers, allowed);
            share = change > 0 ? Math.Min(share, change - done) : Math.Max(share, change - done);
            sizes[set.Metadata.Name] = Size(set) + share;
            done += share;
        }

        if (ordered.Count > 0)
        {
            sizes[ordered[0].Metadata.Name] = Math.Max(0, sizes[ordered[0].Metadata.Name] + change - done);
        }

        return sizes;
    }

    private static int Share(V1ReplicaSet set, RolloutNumbers numbers, int allowed)
    {
        if (numbers.Replicas == 0)
        {
            return -Size(set);
        }

        var before = DeploymentNames.Number(set.Metadata, DeploymentNames.MaxReplicas) is { } most and > 0 ? most : numbers.Most;
        return (int)Math.Round((double)Size(set) * allowed / before, MidpointRounding.AwayFromZero) - Size(set);
    }

    private static bool IsSaturated(RolloutNumbers numbers, V1ReplicaSet set) =>
        Size(set) == numbers.Replicas && DeploymentNames.Number(set.Metadata, DeploymentNames.DesiredReplicas) == numbers.Replicas && Available(set) == numbers.Replicas;

    private static RolloutPlan Resize(V1ReplicaSet set, int size) =>
        new(new Dictionary<string, int> { [set.Metadata.Name] = size });

    private static int Size(V1ReplicaSet set) => set.Spec.Replicas ?? 1;

    private static int Available(V1ReplicaSet set) => set.Status?.AvailableReplicas ?? 0;
}
