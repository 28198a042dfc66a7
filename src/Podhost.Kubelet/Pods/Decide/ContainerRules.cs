using System.Globalization;
using k8s.Models;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>How far a container is.</summary>
internal enum Progress
{
    /// <summary>Something waits: a back-off, or what it needs.</summary>
    Waiting,

    /// <summary>It is on its way: image, creation, or its postStart hook.</summary>
    Starting,

    /// <summary>It runs and nothing is owed to it.</summary>
    Running,

    /// <summary>It is being stopped.</summary>
    Stopping,
}

/// <summary>What init, app and ephemeral containers have in common: to be started, to be looked after while they run.</summary>
internal static class ContainerRules
{
    /// <summary>Looks after a running instance: reasons to stop it, the stop itself, the postStart hook.</summary>
    public static Progress Tend(DecisionPass pass, ContainerSpec spec, ContainerView instance)
    {
        var memory = pass.Instance(instance.Id);
        if (memory.Kill is null && ReasonToKill(pass, spec, instance) is { } why)
        {
            StopRules.Kill(pass, spec, instance, why.Message, pass.Now + why.Grace, isTurn: true);
            return Progress.Stopping;
        }

        if (memory.Kill is { } kill)
        {
            StopRules.Kill(pass, spec, instance, "", kill.Deadline, isTurn: true);
            return Progress.Stopping;
        }

        if (OwesPostStart(pass, spec, instance))
        {
            pass.Want(pass.Running("start/" + spec.Name) ?? new RunPostStart(spec.Name, instance.Id));
            return Progress.Starting;
        }

        return Progress.Running;
    }

    /// <summary>Starts the next instance as soon as everything that it needs is there.</summary>
    public static Progress Start(DecisionPass pass, ContainerSpec spec, SandboxView sandbox, bool resourcesReady)
    {
        if (pass.Running("start/" + spec.Name) is { } running)
        {
            pass.Want(running);
            return Progress.Starting;
        }

        if (pass.Runtime.Containers.Any(c => c.IsAlive && c.Name == spec.Name))
        {
            // In another sandbox: two instances of one container never run at once.
            return Progress.Waiting;
        }

        var latest = pass.Runtime.Latest(spec.Name);
        if (latest is { State: RunState.Created })
        {
            // Left by a crash between creation and start, or by a failed start. Its name and attempt are free once it is gone.
            pass.WantWithRetry(new RemoveContainer(spec.Name, latest.Id));
            return Progress.Starting;
        }

        var attempt = NextAttempt(pass, spec, latest);
        if (RestartRules.EndOf(pass, spec.Name, latest) is { } end && IsBackingOff(pass, spec, end, attempt))
        {
            return Progress.Waiting;
        }

        if (pass.Memory.StartFailures.TryGetValue(spec.Name, out var failure) && failure.NotBefore > pass.Now)
        {
            pass.Wake(failure.NotBefore);
            return Progress.Waiting;
        }

        pass.Starting.Add(spec.Name);
        var image = ImageRules.Ensure(pass, spec, attempt);
        if (ImageRules.EnsureVolumes(pass, spec) is not { } volumes || image is null)
        {
            return ImageRules.Waiting(pass, spec) is null ? Progress.Starting : Progress.Waiting;
        }

        if (!resourcesReady || !TryFindTarget(pass, spec, out var target))
        {
            return Progress.Waiting;
        }

        pass.Want(new StartContainer(spec.Name, spec.Kind, attempt, sandbox.Id, image, target, volumes));
        return Progress.Starting;
    }

    /// <summary>True where the postStart hook of a running instance has not ended. Only the process that started it owes the hook.</summary>
    public static bool OwesPostStart(DecisionPass pass, ContainerSpec spec, ContainerView instance) =>
        spec.Container.Lifecycle?.PostStart is not null
        && instance.State == RunState.Running
        && (pass.Instance(instance.Id) is { StartedHere: true, PostStart: HookState.Pending } || IsBeingStarted(pass, spec, instance));

    // The runtime tells of a running instance before the start of it has reported: its hook is yet to come.
    private static bool IsBeingStarted(DecisionPass pass, ContainerSpec spec, ContainerView instance) =>
        !pass.Instance(instance.Id).StartedHere && pass.Running("start/" + spec.Name) is not null;

    /// <summary>True where the instance runs, its postStart hook ended and its startup probe succeeded.</summary>
    public static bool IsStarted(DecisionPass pass, ContainerSpec spec, ContainerView instance) =>
        instance.State == RunState.Running
        && !OwesPostStart(pass, spec, instance)
        && (spec.Container.StartupProbe is null || ResultOf(pass, instance, ProbeKind.Startup, s => s.Started == true));

    /// <summary>True where the instance is started and its readiness probe succeeded.</summary>
    public static bool IsReady(DecisionPass pass, ContainerSpec spec, ContainerView instance) =>
        IsStarted(pass, spec, instance)
        && (spec.Container.ReadinessProbe is null || ResultOf(pass, instance, ProbeKind.Readiness, s => s.Ready));

    public static V1ContainerStatus? OldStatus(DecisionPass pass, string name)
    {
        var status = pass.Memory.Status;
        return Find(status?.ContainerStatuses, name) ?? Find(status?.InitContainerStatuses, name) ?? Find(status?.EphemeralContainerStatuses, name);
    }

    private static V1ContainerStatus? Find(IList<V1ContainerStatus>? statuses, string name) => statuses?.FirstOrDefault(s => s.Name == name);

    /// <summary>A probe's answer; before the first one after a restart of the kubelet, what the status said of the same instance.</summary>
    private static bool ResultOf(DecisionPass pass, ContainerView instance, ProbeKind kind, Func<V1ContainerStatus, bool> before)
    {
        if (pass.View.Probes.TryGetValue(new ProbeKey(instance.Id, kind), out var probe) && probe.Result != ProbeResult.Unknown)
        {
            return probe.Result == ProbeResult.Success;
        }

        return !pass.Instance(instance.Id).StartedHere
            && OldStatus(pass, instance.Name) is { } old
            && old.ContainerID == $"{pass.View.Settings.RuntimeName}://{instance.Id}"
            && before(old);
    }

    private static (string Message, TimeSpan Grace)? ReasonToKill(DecisionPass pass, ContainerSpec spec, ContainerView instance)
    {
        var podGrace = StopRules.GraceOf(pass.Pod);
        if (instance.State == RunState.Unknown)
        {
            return ($"Container {spec.Name} is in an unknown state, try killing it before restart", podGrace);
        }

        if (spec.Kind == ContainerKind.Ephemeral)
        {
            return null;
        }

        var restarts = RestartRules.ShouldRestart(pass.Pod, spec, 137) ? ", will be restarted" : "";
        if ((spec.Kind == ContainerKind.Main || spec.IsSidecar) && instance.SpecHash.Length > 0 && instance.SpecHash != ContainerSpec.HashOf(spec.Container))
        {
            return ($"Container {spec.Name} definition changed, will be restarted", podGrace);
        }

        if (pass.Instance(instance.Id).PostStart == HookState.Failed)
        {
            return ("FailedPostStartHook", podGrace);
        }

        if (Failed(pass, instance, ProbeKind.Startup))
        {
            return ($"Container {spec.Name} failed startup probe{restarts}", ProbeGrace(spec.Container.StartupProbe, podGrace));
        }

        return Failed(pass, instance, ProbeKind.Liveness)
            ? ($"Container {spec.Name} failed liveness probe{restarts}", ProbeGrace(spec.Container.LivenessProbe, podGrace))
            : null;
    }

    private static bool Failed(DecisionPass pass, ContainerView instance, ProbeKind kind) =>
        pass.View.Probes.TryGetValue(new ProbeKey(instance.Id, kind), out var probe) && probe.Result == ProbeResult.Failure;

    private static TimeSpan ProbeGrace(V1Probe? probe, TimeSpan podGrace) =>
        probe?.TerminationGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : podGrace;

    private static bool IsBackingOff(DecisionPass pass, ContainerSpec spec, DateTimeOffset end, uint attempt)
    {
        if (RestartRules.Waiting(pass, spec.Name, end) is not { } backOff)
        {
            return false;
        }

        pass.Wake(end + backOff.Delay);
        if (pass.TellOnce("restart/" + spec.Name, attempt.ToString(CultureInfo.InvariantCulture)))
        {
            pass.Warn("BackOff", $"Back-off restarting failed container {spec.Name} in pod {StatusRules.Id(pass.Pod)}", spec);
        }

        return true;
    }

    /// <summary>Counted on from the runtime, or from the status where the runtime lost the instance: the count survives both.</summary>
    private static uint NextAttempt(DecisionPass pass, ContainerSpec spec, ContainerView? latest)
    {
        if (latest is not null)
        {
            return latest.Attempt + 1;
        }

        var old = OldStatus(pass, spec.Name);
        return old is null ? 0 : string.IsNullOrEmpty(old.ContainerID) ? (uint)old.RestartCount : (uint)old.RestartCount + 1;
    }

    private static bool TryFindTarget(DecisionPass pass, ContainerSpec spec, out string? targetId)
    {
        targetId = null;
        if (string.IsNullOrEmpty(spec.Target))
        {
            return true;
        }

        targetId = pass.Runtime.Latest(spec.Target) is { State: RunState.Running } target ? target.Id : null;
        return targetId is not null;
    }
}
