using Podhost.Runtime.Processes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Adoption;

/// <summary>What was found on the machine at start. A snapshot.</summary>
internal sealed record ObservedWorld
{
    /// <summary>Sandboxes whose infra process lives.</summary>
    internal IReadOnlySet<string> LiveInfra { get; init; } = new HashSet<string>();

    /// <summary>Containers whose own process lives.</summary>
    internal IReadOnlySet<string> LiveContainers { get; init; } = new HashSet<string>();

    /// <summary>Exit codes that conmon left, and when.</summary>
    internal IReadOnlyDictionary<string, (int Code, long FinishedAt)> Exits { get; init; } = new Dictionary<string, (int, long)>();

    /// <summary>What the OCI runtime says of containers whose start was interrupted.</summary>
    internal IReadOnlyDictionary<string, OciStatus> Interrupted { get; init; } = new Dictionary<string, OciStatus>();

    /// <summary>Ids of everything that is there: pinned namespaces, bundles, OCI states, root file systems, exit files, broken records.</summary>
    internal IReadOnlySet<string> Traces { get; init; } = new HashSet<string>();

    /// <summary>Ids, or starts of ids, that hold an address or an interface.</summary>
    internal IReadOnlySet<string> NetworkTraces { get; init; } = new HashSet<string>();
}

/// <summary>What becomes of a sandbox.</summary>
internal enum SandboxAction
{
    /// <summary>It goes on.</summary>
    Keep,

    /// <summary>Its infra process died while nobody looked.</summary>
    MarkNotReady,

    /// <summary>Its making or its removal was interrupted: it is removed.</summary>
    Discard,
}

/// <summary>What becomes of a container.</summary>
internal enum ContainerAction
{
    /// <summary>It goes on without a process.</summary>
    Keep,

    /// <summary>Its process lives: watched again.</summary>
    Adopt,

    /// <summary>Created by the OCI runtime, not started yet: started now.</summary>
    FinishStart,

    /// <summary>It ended, and conmon recorded how.</summary>
    RecordExit,

    /// <summary>It ended, and nobody knows how.</summary>
    MarkLost,

    /// <summary>Its making or its removal was interrupted, or its sandbox is gone: it is removed.</summary>
    Discard,
}

/// <summary>What is to be done at start.</summary>
internal sealed record AdoptionPlan(
    IReadOnlyList<(SandboxRecord Record, SandboxAction Action)> Sandboxes,
    IReadOnlyList<(ContainerRecord Record, ContainerAction Action)> Containers,
    IReadOnlyList<string> Orphans,
    IReadOnlyList<string> NetworkOrphans);

/// <summary>Decides at start what is adopted, finished and cleaned. Pure: records and what was observed in, a plan out.</summary>
internal static class AdoptionDecider
{
    internal static AdoptionPlan Decide(IReadOnlyList<SandboxRecord> sandboxes, IReadOnlyList<ContainerRecord> containers, ObservedWorld world)
    {
        var sandboxActions = sandboxes.Select(record => (record, Decide(record, world))).ToList();
        var kept = sandboxActions.Where(entry => entry.Item2 != SandboxAction.Discard).Select(entry => entry.record.Id).ToHashSet(StringComparer.Ordinal);
        var containerActions = containers.Select(record => (record, Decide(record, kept, world))).ToList();
        var owned = sandboxes.Select(record => record.Id)
            .Concat(containers.Select(record => record.Id))
            .Concat(containers.SelectMany(record => record.ImageMountKeys))
            .ToHashSet(StringComparer.Ordinal);
        var networkOwners = sandboxes.Where(record => !record.NetworkReleased).Select(record => record.Id).ToList();
        return new AdoptionPlan(
            sandboxActions,
            containerActions,
            [.. world.Traces.Where(id => !owned.Contains(id)).Order(StringComparer.Ordinal)],
            [.. world.NetworkTraces.Where(trace => !networkOwners.Any(id => id.StartsWith(trace, StringComparison.Ordinal))).Order(StringComparer.Ordinal)]);
    }

    private static SandboxAction Decide(SandboxRecord record, ObservedWorld world) => record.Phase switch
    {
        SandboxPhase.Creating or SandboxPhase.Removing => SandboxAction.Discard,
        SandboxPhase.Ready when !world.LiveInfra.Contains(record.Id) => SandboxAction.MarkNotReady,
        _ => SandboxAction.Keep,
    };

    private static ContainerAction Decide(ContainerRecord record, HashSet<string> sandboxes, ObservedWorld world) => record.Phase switch
    {
        _ when !sandboxes.Contains(record.SandboxId) => ContainerAction.Discard,
        ContainerPhase.Creating or ContainerPhase.Removing => ContainerAction.Discard,
        ContainerPhase.Created or ContainerPhase.Exited => ContainerAction.Keep,
        _ when world.Exits.ContainsKey(record.Id) => ContainerAction.RecordExit,
        ContainerPhase.Starting => Interrupted(record, world),
        _ => world.LiveContainers.Contains(record.Id) ? ContainerAction.Adopt : ContainerAction.MarkLost,
    };

    private static ContainerAction Interrupted(ContainerRecord record, ObservedWorld world) =>
        !world.LiveContainers.Contains(record.Id) ? ContainerAction.MarkLost
        : world.Interrupted.GetValueOrDefault(record.Id) switch
        {
            OciStatus.Created => ContainerAction.FinishStart,
            OciStatus.Running => ContainerAction.Adopt,
            _ => ContainerAction.MarkLost,
        };
}
