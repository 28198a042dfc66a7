using System.Collections.Immutable;
using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Where a pod is on this node. It never goes backwards.</summary>
internal enum Stage
{
    /// <summary>Not admitted yet, or another pod of its name is ending.</summary>
    Waiting,

    /// <summary>Running is wanted.</summary>
    Active,

    /// <summary>Its containers are being stopped.</summary>
    Stopping,

    /// <summary>Nothing runs; what it holds is given back.</summary>
    Cleaning,

    /// <summary>Nothing of it is left.</summary>
    Finished,
}

/// <summary>What one decision leaves to the next. After a restart it is empty, and the runtime and the last status fill it.</summary>
internal sealed record PodMemory
{
    public static PodMemory Empty { get; } = new();

    public Stage Stage { get; init; }

    /// <summary>Why and until when the pod is stopped; null while it is not.</summary>
    public StopPlan? Plan { get; init; }

    public bool CgroupReady { get; init; }

    /// <summary>The generation whose resources the cgroup carries.</summary>
    public long CgroupGeneration { get; init; }

    /// <summary>The resources of the pod as a whole that the cgroup carries; null before it was written, and where it has none.</summary>
    public V1ResourceRequirements? CgroupWhole { get; init; }

    /// <summary>The generation whose resources find room in the cgroup, which may have more.</summary>
    public long CgroupWidened { get; init; }

    public bool CgroupRemoved { get; init; }

    public bool VolumesMounted { get; init; }

    /// <summary>What of the pod the files of its volumes show now.</summary>
    public string? VolumesShow { get; init; }

    public bool VolumesRemoved { get; init; }

    public bool LogsRemoved { get; init; }

    /// <summary>Sandboxes that were stopped to the end (network too).</summary>
    public ImmutableHashSet<string> StoppedSandboxes { get; init; } = [];

    /// <summary>Failed tries, by key of the effect.</summary>
    public ImmutableDictionary<string, Retry> Retries { get; init; } = ImmutableDictionary<string, Retry>.Empty;

    /// <summary>Crash-loop back-off, by container name.</summary>
    public ImmutableDictionary<string, BackOff> Restarts { get; init; } = ImmutableDictionary<string, BackOff>.Empty;

    /// <summary>Images, by what needs them (<see cref="ImageNeed.User"/>).</summary>
    public ImmutableDictionary<string, ImageMemory> Images { get; init; } = ImmutableDictionary<string, ImageMemory>.Empty;

    /// <summary>Why a container could not be started, by container name.</summary>
    public ImmutableDictionary<string, StartFailure> StartFailures { get; init; } = ImmutableDictionary<string, StartFailure>.Empty;

    /// <summary>What is known of instances beyond the runtime's view, by container ID.</summary>
    public ImmutableDictionary<string, InstanceMemory> Instances { get; init; } = ImmutableDictionary<string, InstanceMemory>.Empty;

    /// <summary>What was told by an event already, by what it is about, so that it is told once.</summary>
    public ImmutableDictionary<string, string> Told { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The status last decided; after a restart the one that the API object had.</summary>
    public V1PodStatus? Status { get; init; }

    /// <summary>When the pod was seen first on this node; status.startTime.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>The final answer, once there is one.</summary>
    public TerminalFact? Terminal { get; init; }

    public InstanceMemory Instance(string containerId) => Instances.GetValueOrDefault(containerId) ?? InstanceMemory.Empty;
}

/// <summary>Why a pod is stopped.</summary>
internal enum StopCause
{
    /// <summary>Its object has a deletionTimestamp.</summary>
    Deleted,

    /// <summary>Its source does not have it any more.</summary>
    Gone,

    /// <summary>It ended by itself.</summary>
    Completed,

    /// <summary>activeDeadlineSeconds.</summary>
    DeadlineExceeded,

    /// <summary>The node does not take it.</summary>
    Rejected,

    /// <summary>The node runs short of something.</summary>
    Evicted,

    /// <summary>The node is shut down.</summary>
    NodeShutdown,
}

/// <summary>A stop in progress.</summary>
/// <param name="Cause">Why it began.</param>
/// <param name="Since">When it began.</param>
/// <param name="Deadline">When everything must be dead. It only moves towards the past.</param>
/// <param name="Grace">The grace that the newest request gave: a request that gives more is ignored.</param>
internal sealed record StopPlan(StopCause Cause, DateTimeOffset Since, DateTimeOffset Deadline, TimeSpan Grace);

/// <summary>The phase in which a pod ends, decided before its last process is dead.</summary>
internal sealed record TerminalFact(string Phase, string? Reason, string? Message, bool Disrupted = false)
{
    /// <summary>Message of the condition DisruptionTarget; null: the same as <see cref="Message"/>.</summary>
    public string? Disruption { get; init; }
}

/// <summary>A failed try of an effect.</summary>
/// <param name="Failures">How often in a row.</param>
/// <param name="NotBefore">When to try again.</param>
/// <param name="Failure">The last failure.</param>
internal sealed record Retry(int Failures, DateTimeOffset NotBefore, EffectFailure Failure);

/// <summary>Back-off of one container's restarts.</summary>
/// <param name="Delay">From the end of the last instance to the next start.</param>
/// <param name="LastStart">When the container was started last.</param>
/// <param name="Of">The image and the resources that it holds for: with others the container begins anew.</param>
internal sealed record BackOff(TimeSpan Delay, DateTimeOffset LastStart, string Of);

/// <summary>A container that could not be started.</summary>
/// <param name="Reason">Waiting reason.</param>
/// <param name="Message">Waiting message.</param>
/// <param name="Failures">How often in a row.</param>
/// <param name="NotBefore">When to try again.</param>
/// <param name="Config">True where a changed reference ends the wait.</param>
internal sealed record StartFailure(string Reason, string Message, int Failures, DateTimeOffset NotBefore, bool Config);

/// <summary>What is known of the image of a container's next instance.</summary>
internal sealed record ImageMemory
{
    public required string Image { get; init; }

    /// <summary>The instance for which this holds: a restart asks anew.</summary>
    public uint Attempt { get; init; }

    /// <summary>True once the node was asked.</summary>
    public bool Inspected { get; init; }

    /// <summary>The image to start from; null until it is here and may be used.</summary>
    public string? Ref { get; init; }

    public string Reason { get; init; } = "";

    public string Message { get; init; } = "";

    public DateTimeOffset FailedAt { get; init; }

    /// <summary>Zero where no try failed.</summary>
    public TimeSpan Delay { get; init; }
}

/// <summary>State of a hook of an instance.</summary>
internal enum HookState
{
    Pending,
    Succeeded,
    Failed,
}

/// <summary>What is known of an instance beyond the runtime's view.</summary>
internal sealed record InstanceMemory
{
    public static InstanceMemory Empty { get; } = new();

    /// <summary>True where this kubelet process started it: only then a postStart hook is owed.</summary>
    public bool StartedHere { get; init; }

    public HookState PostStart { get; init; }

    public HookState PreStop { get; init; }

    public DateTimeOffset PreStopEndedAt { get; init; }

    /// <summary>Why and until when the instance is stopped; null while it is not.</summary>
    public KillPlan? Kill { get; init; }

    /// <summary>The resources that it runs with, limits that it has from the pod as a whole among them; null until they were looked at.</summary>
    public V1ResourceRequirements? Applied { get; init; }
}

/// <summary>A stop of one instance.</summary>
/// <param name="Since">When it began.</param>
/// <param name="Deadline">When its grace is over. It only moves towards the past.</param>
/// <param name="TurnAt">When it became its turn (sidecars wait for those before them); null before.</param>
internal sealed record KillPlan(DateTimeOffset Since, DateTimeOffset Deadline, DateTimeOffset? TurnAt);
