using System.Collections.Immutable;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Which probes run: startup gates the others; while the pod stops only readiness goes on.</summary>
internal static class ProbeRules
{
    public static ImmutableArray<ProbeTarget> Targets(DecisionPass pass)
    {
        if (pass.View.Runtime is null || pass.Memory.Stage is not (Stage.Active or Stage.Stopping))
        {
            return [];
        }

        var targets = ImmutableArray.CreateBuilder<ProbeTarget>();
        foreach (var spec in pass.Specs)
        {
            var probed = spec.Kind == ContainerKind.Main || spec.IsSidecar;
            if (probed && pass.Runtime.Latest(spec.Name) is { State: RunState.Running } instance && !ContainerRules.OwesPostStart(pass, spec, instance))
            {
                Add(pass, spec, instance, targets);
            }
        }

        return targets.ToImmutable();
    }

    private static void Add(DecisionPass pass, ContainerSpec spec, ContainerView instance, ImmutableArray<ProbeTarget>.Builder targets)
    {
        var stopping = pass.Memory.Stage == Stage.Stopping || pass.Instance(instance.Id).Kill is not null;
        var c = spec.Container;
        var started = ContainerRules.IsStarted(pass, spec, instance);
        if (c.StartupProbe is not null && !started && !stopping)
        {
            targets.Add(Target(pass, spec, instance, ProbeKind.Startup));
        }

        if (!started)
        {
            return;
        }

        if (c.LivenessProbe is not null && !stopping)
        {
            targets.Add(Target(pass, spec, instance, ProbeKind.Liveness));
        }

        if (c.ReadinessProbe is not null)
        {
            targets.Add(Target(pass, spec, instance, ProbeKind.Readiness));
        }
    }

    private static ProbeTarget Target(DecisionPass pass, ContainerSpec spec, ContainerView instance, ProbeKind kind) =>
        new(pass.Pod, spec.Container, kind, instance.Id, StatusRules.PodIPs(pass).FirstOrDefault() ?? "", instance.StartedAt);
}
