using System.Collections.Immutable;
using k8s.Models;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Everything a decision about one pod may depend on, at one moment. Nobody changes it or anything it refers to.</summary>
internal sealed record PodView
{
    /// <summary>The pod as its source wants it, with the resources that the node gave it. Never null: a pod that is gone keeps its last shape.</summary>
    public required V1Pod Pod { get; init; }

    /// <summary>The pod with the resources that it asks for; null where it has them.</summary>
    public V1Pod? Wanted { get; init; }

    /// <summary>What the node gave it; null: all that it asks for.</summary>
    public PodAllocation? Allocation { get; init; }

    /// <summary>Where the pod comes from.</summary>
    public required PodOrigin Origin { get; init; }

    /// <summary>True where the source does not have the pod any more (object deleted, manifest removed).</summary>
    public bool Gone { get; init; }

    /// <summary>A stop that the spec does not show: eviction, node shutdown.</summary>
    public StopRequest? Stop { get; init; }

    /// <summary>True while another pod of this name, or of this UID, has not ended.</summary>
    public bool Blocked { get; init; }

    /// <summary>What the runtime has of the pod; null until it was looked at for the first time.</summary>
    public RuntimeView? Runtime { get; init; }

    /// <summary>Newest results of the probes, by instance and kind.</summary>
    public ImmutableDictionary<ProbeKey, ProbeView> Probes { get; init; } = ImmutableDictionary<ProbeKey, ProbeView>.Empty;

    /// <summary>The node's answer to the pod; null until it was given.</summary>
    public AdmissionVerdict? Admission { get; init; }

    /// <summary>Effects that were started and whose outcome was not seen yet.</summary>
    public ImmutableHashSet<PodEffect> InFlight { get; init; } = [];

    /// <summary>Effects that ended since the last decision. Each is seen by exactly one decision.</summary>
    public ImmutableArray<EffectOutcome> Outcomes { get; init; } = [];

    /// <summary>True where an object that the pod refers to changed since the last decision: waiting for a retry of it ends.</summary>
    public bool ReferencesChanged { get; init; }

    /// <summary>What the last decision left.</summary>
    public PodMemory Memory { get; init; } = PodMemory.Empty;

    /// <summary>The node's settings.</summary>
    public required PodSettings Settings { get; init; }

    /// <summary>The time of the decision.</summary>
    public required DateTimeOffset Now { get; init; }
}

/// <summary>Where a pod comes from.</summary>
internal enum PodOrigin
{
    /// <summary>The API server.</summary>
    Api,

    /// <summary>A manifest on this node.</summary>
    Static,

    /// <summary>Only the runtime knows it: no source has it, it is to be stopped and removed.</summary>
    Orphan,
}

/// <summary>A stop that comes from the node.</summary>
/// <param name="Cause">Why.</param>
/// <param name="Grace">How long its containers may take.</param>
/// <param name="Reason">status.reason, for example <c>Evicted</c>.</param>
/// <param name="Message">status.message.</param>
internal sealed record StopRequest(StopCause Cause, TimeSpan Grace, string Reason, string Message)
{
    /// <summary>Message of the condition DisruptionTarget; null: the same as <see cref="Message"/>.</summary>
    public string? Disruption { get; init; }

    /// <summary>Annotations of the event that tells it.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>The node's answer to a pod.</summary>
/// <param name="Admitted">True where it may run.</param>
/// <param name="Reason">status.reason where it may not, for example <c>OutOfcpu</c>.</param>
/// <param name="Message">status.message where it may not.</param>
internal sealed record AdmissionVerdict(bool Admitted, string Reason = "", string Message = "")
{
    public static AdmissionVerdict Ok { get; } = new(true);
}

/// <summary>One probe of one instance.</summary>
internal readonly record struct ProbeKey(string ContainerId, ProbeKind Kind);

/// <summary>Newest result of a probe.</summary>
internal sealed record ProbeView(ProbeResult Result, string Message);

/// <summary>The node's settings that decisions depend on.</summary>
internal sealed record PodSettings
{
    public required string NodeName { get; init; }

    /// <summary>Addresses of the node, primary first.</summary>
    public ImmutableArray<string> HostIPs { get; init; } = [];

    /// <summary>Scheme of containerID in statuses: the runtime's name from CRI's Version.</summary>
    public string RuntimeName { get; init; } = "podhost";

    /// <summary>Runtime handlers that make mounts read-only with all mounts below; the default handler has no name.</summary>
    public ImmutableHashSet<string> RecursiveReadOnlyHandlers { get; init; } = [];

    public TimeSpan RestartBackOffBase { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan RestartBackOffMax { get; init; } = TimeSpan.FromSeconds(300);

    public TimeSpan ImageBackOffBase { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan ImageBackOffMax { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>A container that ran this long starts its back-off anew.</summary>
    public TimeSpan RestartBackOffReset { get; init; } = TimeSpan.FromMinutes(10);
}
