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
            if (spec.Kind != ContainerKind.Ephemeral && pass.Runtime.Latest(spec.Name) is { State: RunState.Running } instance)
            {
                Apply(pass, spec, instance);
            }
        }
    }

    /// <summary>The resources that a running instance has, as its status shows them.</summary>
    public static V1ResourceRequirements? AppliedTo(DecisionPass pass, ContainerSpec spec, ContainerView instance) =>
        pass.Instance(instance.Id).Applied ?? Wanted(pass, spec);

    /// <summary>The resources that a container is to have: its own, and the limits of the pod as a whole where it has none.</summary>
    public static V1ResourceRequirements? Wanted(DecisionPass pass, ContainerSpec? spec) => With(spec?.Container.Resources ?? new V1ResourceRequirements(), pass.Pod.Spec?.Resources);

    /// <summary>The resources of the pod as a whole that it has now; null where it is to have none.</summary>
    public static V1ResourceRequirements? WholeOf(DecisionPass pass) =>
        pass.Pod.Spec?.Resources is { } wanted ? pass.Memory.CgroupWhole ?? pass.Memory.Status?.Resources ?? wanted : null;

    private static V1ResourceRequirements With(V1ResourceRequirements own, V1ResourceRequirements? whole)
    {
        string[] inherited = [.. ((string[])[ResourceNames.Cpu, ResourceNames.Memory]).Where(name => own.Limits.Get(name) == 0 && whole?.Limits.Get(name) > 0)];
        if (inherited.Length == 0)
        {
            return own;
        }

        var limits = new Dictionary<string, ResourceQuantity>(own.Limits ?? new Dictionary<string, ResourceQuantity>(), StringComparer.Ordinal);
        foreach (var name in inherited)
        {
            limits[name] = whole!.Limits[name];
        }

        return new V1ResourceRequirements { Requests = own.Requests, Limits = limits };
    }

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
    public static V1PodCondition? Pending(DecisionPass pass) => pass.Memory.Stage <= Stage.Active && pass.View.Allocation?.Pending is { } pending
        ? new V1PodCondition { Type = Waiting, Status = "True", Reason = pending.Reason, Message = pending.Message }
        : null;

    /// <summary>The condition of a resize that is under way, or null.</summary>
    public static V1PodCondition? InProgress(DecisionPass pass)
    {
        if (pass.View.Runtime is null || pass.Memory.Stage != Stage.Active)
        {
            return null;
        }

        var cgroup = pass.Memory.Retries.GetValueOrDefault("cgroup");
        if (ToResize(pass).FirstOrDefault() is { } instance)
        {
            return Condition(pass, pass.Memory.Retries.GetValueOrDefault("container/" + instance.Id) ?? cgroup);
        }

        // The containers have what they were given; the pod's limits follow.
        var follows = pass.Memory.CgroupWidened == pass.AllocatedGeneration && pass.Memory.CgroupGeneration != pass.AllocatedGeneration;
        return follows || Changed(WholeOf(pass), pass.Pod.Spec?.Resources).Count > 0 ? Condition(pass, cgroup) : null;
    }

    /// <summary>True where a running container has other resources than it was given.</summary>
    public static bool AnyToResize(DecisionPass pass) => ToResize(pass).Any();

    private static IEnumerable<ContainerView> ToResize(DecisionPass pass)
    {
        foreach (var spec in pass.Specs)
        {
            if (pass.Runtime.Latest(spec.Name) is { State: RunState.Running } instance && Changed(AppliedTo(pass, spec, instance), Wanted(pass, spec)).Count > 0)
            {
                yield return instance;
            }
        }
    }

    private static V1PodCondition Condition(DecisionPass pass, Retry? failed) => new()
    {
        Type = Running,
        Status = "True",
        Reason = failed is null ? null : "Error",
        Message = failed?.Failure.Message,
        ObservedGeneration = pass.AllocatedGeneration,
    };

    private static void Apply(DecisionPass pass, ContainerSpec spec, ContainerView instance)
    {
        var memory = pass.Instance(instance.Id);
        if (memory.Applied is null)
        {
            pass.Instance(instance.Id, i => i with { Applied = Known(pass, spec, instance) });
        }

        var generation = pass.AllocatedGeneration;
        var changed = Changed(pass.Instance(instance.Id).Applied, Wanted(pass, spec));
        if (changed.Count == 0 || memory.Kill is not null)
        {
            return;
        }

        if (changed.Any(name => NeedsRestart(spec, name)))
        {
            StopRules.Kill(pass, spec, instance, $"Container {spec.Name} resize requires restart", pass.Now + StopRules.GraceOf(pass.Pod), isTurn: true);
        }
        else if (pass.Memory.CgroupReady && (pass.Memory.CgroupWidened == generation || pass.Memory.CgroupGeneration == generation))
        {
            pass.WantWithRetry(new ResizeContainer(spec.Name, instance.Id, generation));
        }
    }

    // An init container that is not a sidecar runs once: its end would be its failure.
    private static bool NeedsRestart(ContainerSpec spec, string resource) => (spec.Kind == ContainerKind.Main || spec.IsSidecar)
        && spec.Container.ResizePolicy?.Any(p => p.ResourceName == resource && p.RestartPolicy == "RestartContainer") == true;

    /// <summary>After a restart of the kubelet the status tells what an adopted instance runs with.</summary>
    private static V1ResourceRequirements? Known(DecisionPass pass, ContainerSpec spec, ContainerView instance)
    {
        var old = ContainerRules.OldStatus(pass, spec.Name);
        return old?.Resources is { } resources && old.ContainerID == $"{pass.View.Settings.RuntimeName}://{instance.Id}" ? With(resources, pass.Memory.Status?.Resources ?? pass.Pod.Spec?.Resources) : Wanted(pass, spec);
    }

    private static IReadOnlyList<string> Changed(V1ResourceRequirements? a, V1ResourceRequirements? b) => PodAllocation.ChangedIn(a, b);

    private static V1PodCondition? Old(DecisionPass pass, string type) => pass.Memory.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
}
