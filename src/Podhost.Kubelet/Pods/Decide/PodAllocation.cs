using System.Collections.Immutable;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What of the resources that a pod's spec asks for the node has given it. They differ while a resize is pending.</summary>
/// <param name="Generation">metadata.generation of the spec whose resources these are.</param>
/// <param name="Containers">Resources by name of app or init container, as that spec had them.</param>
/// <param name="Pending">Why the newest spec's resources are not given; null where they are.</param>
/// <param name="Sequence">A later answer of the node has a greater number.</param>
internal sealed record PodAllocation(long Generation, ImmutableDictionary<string, V1ResourceRequirements> Containers, PendingResize? Pending, long Sequence = 0)
{
    /// <summary>Resources of the pod as a whole, as that spec had them; null where it had none.</summary>
    public V1ResourceRequirements? Whole { get; init; }

    /// <summary>A pod's spec as it is, given in full.</summary>
    public static PodAllocation Of(V1Pod pod) => new(
        pod.Metadata?.Generation ?? 0,
        Resizable(pod.Spec).ToImmutableDictionary(c => c.Name, c => c.Resources ?? new V1ResourceRequirements(), StringComparer.Ordinal),
        null)
    {
        Whole = pod.Spec?.Resources,
    };

    /// <summary>True where the spec asks for what is given.</summary>
    public bool Gives(V1Pod pod) => !Differ(pod.Spec?.Resources, Whole) && Resizable(pod.Spec).All(c => !Containers.TryGetValue(c.Name, out var given) || !Differ(c.Resources, given));

    /// <summary>The pod with what is given instead of what it asks for.</summary>
    public V1Pod Apply(V1Pod pod)
    {
        if (Gives(pod))
        {
            return pod;
        }

        var copy = ObjectCodec.ToModel<V1Pod>(ObjectCodec.ToObject(pod));
        foreach (var container in Resizable(copy.Spec))
        {
            container.Resources = Containers.GetValueOrDefault(container.Name) ?? container.Resources;
        }

        copy.Spec.Resources = Whole;
        return copy;
    }

    /// <summary>True where cpu or memory differ: nothing else can change while a pod lives.</summary>
    public static bool Differ(V1ResourceRequirements? a, V1ResourceRequirements? b) => ChangedIn(a, b).Count > 0;

    /// <summary>Which of cpu and memory differ.</summary>
    public static IReadOnlyList<string> ChangedIn(V1ResourceRequirements? a, V1ResourceRequirements? b) =>
        [.. ((string[])[ResourceNames.Cpu, ResourceNames.Memory]).Where(name => a?.Requests.Get(name) != b?.Requests.Get(name) || a?.Limits.Get(name) != b?.Limits.Get(name))];

    private static IEnumerable<V1Container> Resizable(V1PodSpec? spec) => (spec?.InitContainers ?? []).Concat(spec?.Containers ?? []);
}

/// <summary>Why the node does not give what a pod asks for.</summary>
/// <param name="Reason"><c>Deferred</c>: not now; <c>Infeasible</c>: never.</param>
/// <param name="Message">Message of the condition PodResizePending.</param>
internal sealed record PendingResize(string Reason, string Message);
