using System.Collections.Immutable;
using k8s.Models;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What follows from a <see cref="PodView"/>.</summary>
internal sealed record PodDecision
{
    /// <summary>What the next decision gets.</summary>
    public required PodMemory Memory { get; init; }

    /// <summary>All effects that are wanted now, those in flight included. What is in flight and not here is cancelled.</summary>
    public required ImmutableArray<PodEffect> Effects { get; init; }

    /// <summary>The pod's status.</summary>
    public required V1PodStatus Status { get; init; }

    /// <summary>Events to record, in order.</summary>
    public required ImmutableArray<PodEvent> Events { get; init; }

    /// <summary>The probes that must run now.</summary>
    public required ImmutableArray<ProbeTarget> ProbeTargets { get; init; }

    /// <summary>When to decide again although nothing happened.</summary>
    public DateTimeOffset? WakeAt { get; init; }
}

/// <summary>An event about the pod, or about one container of it.</summary>
/// <param name="Warning">True for type Warning.</param>
/// <param name="Reason">Reason.</param>
/// <param name="Message">Message.</param>
/// <param name="FieldPath">For example <c>spec.containers{app}</c>; null for the pod.</param>
/// <param name="Annotations">Annotations of the event.</param>
internal sealed record PodEvent(bool Warning, string Reason, string Message, string? FieldPath = null, IReadOnlyDictionary<string, string>? Annotations = null);
