using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>
/// In-place resize: a running container whose resources in the spec, as the node gave them, differ from those that it runs with gets the new ones, by an update
/// or, where its resizePolicy says so, by a restart.
/// </summary>
internal static class ResizeRules
{
    private const string Waiting = "PodResizePending";
    private const string Running = "PodResizeInProgress";

    public static void Apply(DecisionPass pass)
    {
        foreach (var spec in pass.Specs)
        {
            if ((spec.Kind == ContainerKind.Main || spec.IsSidecar) && pass.Runtime.Latest(spec.Name) is { State: RunState.Running } instance)
            {
                Apply(pass, spec, instance);
            }
        }
    }

    /// <summary>The resources that a running instance has, as its status shows them.</summary>
    public static V1ResourceRequirements? AppliedTo(DecisionPass pass, ContainerSpec spec, ContainerView instance) =>
        pass.Instance(instance.Id).Applied ?? Wanted(spec);

    public static V1ResourceRequirements? Wanted(ContainerSpec? spec) => spec?.Container.Resources ?? new V1ResourceRequirements();

    /// <summary>Tells by events what becomes of a resize.</summary>
    public static void Tell(DecisionPass pass)
    {
        if (Pending(pass) is { } pending && Old(pass, Waiting) is var before && (before?.Reason, before?.Message) != (pending.Reason, pending.Message))
        {
            pass.Warn("Resize" + pending.Reason, ResizeMessages.Of("Pod resize " + pending.Reason, pass.View.Wanted ?? pass.Pod, pass.Pod.Metadata?.Generation ?? 0, pending.Message));
        }

        var (was, isNow) = (Old(pass, Running) is not null, InProgress(pass) is not null);
        if (was != isNow)
        {
            pass.Normal(isNow ? "ResizeStarted" : "ResizeCompleted", ResizeMessages.Of($"Pod resize {(isNow ? "started" : "completed")}", pass.Pod, pass.AllocatedGeneration));
        }
    }

    /// <summary>The condition of a resize that the node does not give, or null.</summary>
    public static V1PodCondition? Pending(DecisionPass pass) => pass.Memory.Stage == Stage.Active && pass.View.Allocation?.Pending is { } pending
        ? new V1PodCondition { Type = Waiting, Status = "True", Reason = pending.Reason, Message = pending.Message }
        : null;

    /// <summary>The condition of a resize that is under way, or null.</summary>
    public static V1PodCondition? InProgress(DecisionPass pass)
    {
        if (pass.View.Runtime is null || pass.Memory.Stage != Stage.Active)
        {
            return null;
        }

        foreach (var spec in pass.Specs)
        {
            if (pass.Runtime.Latest(spec.Name) is { State: RunState.Running } instance && Changed(AppliedTo(pass, spec, instance), Wanted(spec)).Count > 0)
            {
                var failed = pass.Memory.Retries.GetValueOrDefault("container/" + instance.Id) ?? pass.Memory.Retries.GetValueOrDefault("cgroup");
                return new V1PodCondition
                {
                    Type = Running,
                    Status = "True",
                    Reason = failed is null ? null : "Error",
                    Message = failed?.Failure.Message,
                    ObservedGeneration = pass.AllocatedGeneration,
                };
            }
        }

        return null;
    }

    private static void Apply(DecisionPass pass, ContainerSpec spec, ContainerView instance)
    {
        var memory = pass.Instance(instance.Id);
        if (memory.Applied is null)
        {
            pass.Instance(instance.Id, i => i with { Applied = Known(pass, spec, instance) });
        }

        var generation = pass.AllocatedGeneration;
        var changed = Changed(pass.Instance(instance.Id).Applied, Wanted(spec));
        if (changed.Count == 0 || memory.Kill is not null)
        {
            return;
        }

        if (changed.Any(name => spec.Container.ResizePolicy?.Any(p => p.ResourceName == name && p.RestartPolicy == "RestartContainer") == true))
        {
            StopRules.Kill(pass, spec, instance, $"Container {spec.Name} resize requires restart", pass.Now + StopRules.GraceOf(pass.Pod), isTurn: true);
        }
        else if (pass.Memory.CgroupReady && pass.Memory.CgroupGeneration == generation)
        {
            pass.WantWithRetry(new ResizeContainer(spec.Name, instance.Id, generation));
        }
    }

    /// <summary>After a restart of the kubelet the status tells what an adopted instance runs with.</summary>
    private static V1ResourceRequirements? Known(DecisionPass pass, ContainerSpec spec, ContainerView instance)
    {
        var old = ContainerRules.OldStatus(pass, spec.Name);
        return old?.Resources is { } resources && old.ContainerID == $"{pass.View.Settings.RuntimeName}://{instance.Id}" ? resources : Wanted(spec);
    }

    private static IReadOnlyList<string> Changed(V1ResourceRequirements? a, V1ResourceRequirements? b) => PodAllocation.ChangedIn(a, b);

    private static V1PodCondition? Old(DecisionPass pass, string type) => pass.Memory.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
}
