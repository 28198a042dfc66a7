using System.Text;
using k8s.Models;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>The status of each container: state, last state, readiness, counts and identities.</summary>
internal static class ContainerStatusRules
{
    private const int PodMessageBytes = 12 * 1024;
    private const string Lost = "The container could not be located when the pod was terminated";
    private const string DoneUnseen = "Unable to get init container status from container runtime and pod has been initialized, treat it as exit normally";

    public static void Fill(DecisionPass pass, V1PodStatus status)
    {
        foreach (var spec in pass.Specs)
        {
            var one = Build(pass, spec);
            switch (spec.Kind)
            {
                case ContainerKind.Init:
                    (status.InitContainerStatuses ??= []).Add(one);
                    break;
                case ContainerKind.Main:
                    (status.ContainerStatuses ??= []).Add(one);
                    break;
                default:
                    (status.EphemeralContainerStatuses ??= []).Add(one);
                    break;
            }
        }
    }

    /// <summary>All termination messages of a pod together have 12 KiB at most: each container gets its share.</summary>
    private static string? Share(DecisionPass pass, string? message)
    {
        var most = PodMessageBytes / Math.Max(1, pass.Specs.Count);
        var bytes = message is null ? 0 : Encoding.UTF8.GetByteCount(message);
        return bytes <= most ? message : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(message!), 0, most);
    }

    private static V1ContainerStatus Build(DecisionPass pass, ContainerSpec spec)
    {
        var old = ContainerRules.OldStatus(pass, spec.Name);
        var latest = pass.View.Runtime?.Latest(spec.Name);
        if (latest is null)
        {
            return Absent(pass, spec, old);
        }

        var previous = pass.Runtime.Containers.FirstOrDefault(c => c.Name == spec.Name && c.Id != latest.Id && c.State == RunState.Exited);
        var status = new V1ContainerStatus
        {
            Name = spec.Name,
            RestartCount = (int)latest.Attempt,
            Image = latest.Image.Length > 0 ? latest.Image : spec.Container.Image,
            ImageID = latest.ImageRef,
            ContainerID = ContainerId(pass, latest),
            LastState = previous is not null ? new V1ContainerState { Terminated = Terminated(pass, previous) } : old?.LastState ?? new V1ContainerState(),
            State = State(pass, spec, latest),
            Ready = IsReady(pass, spec, latest),
            Started = spec.Kind == ContainerKind.Ephemeral ? null : ContainerRules.IsStarted(pass, spec, latest),
        };
        if (status.State.Waiting is not null && latest.State == RunState.Exited)
        {
            status.LastState = new V1ContainerState { Terminated = Terminated(pass, latest) };
        }

        if (latest.State == RunState.Running)
        {
            FillRunning(pass, spec, latest, status);
        }

        FillMounts(pass, spec, status);
        return status;
    }

    private static bool IsReady(DecisionPass pass, ContainerSpec spec, ContainerView latest) => spec.Kind switch
    {
        ContainerKind.Ephemeral => false,
        ContainerKind.Init when !spec.IsSidecar => latest is { State: RunState.Exited, ExitCode: 0 },
        _ => ContainerRules.IsReady(pass, spec, latest),
    };

    private static V1ContainerState State(DecisionPass pass, ContainerSpec spec, ContainerView latest)
    {
        switch (latest.State)
        {
            case RunState.Running when ContainerRules.OwesPostStart(pass, spec, latest):
                return Waiting(pass, spec);
            case RunState.Running:
                return new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = Time(latest.StartedAt) } };
            case RunState.Created:
                return Waiting(pass, spec);
            case RunState.Unknown:
                return new V1ContainerState
                {
                    Terminated = new V1ContainerStateTerminated { Reason = "ContainerStatusUnknown", Message = Lost, ExitCode = 137, ContainerID = ContainerId(pass, latest) },
                };
        }

        var restarts = pass.Memory.Stage == Stage.Active && RestartRules.ShouldRestart(pass.Pod, spec, latest.ExitCode);
        return restarts && (WhyWaiting(pass, spec, latest.FinishedAt) ?? StillWaiting(pass, latest)) is { } why
            ? new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = why.Reason, Message = why.Message } }
            : new V1ContainerState { Terminated = Terminated(pass, latest) };
    }

    /// <summary>A container that the runtime does not have: never created, or lost.</summary>
    private static V1ContainerStatus Absent(DecisionPass pass, ContainerSpec spec, V1ContainerStatus? old)
    {
        var status = new V1ContainerStatus
        {
            Name = spec.Name,
            Image = spec.Container.Image,
            ImageID = "",
            RestartCount = old?.RestartCount ?? 0,
            Ready = false,
            Started = spec.Kind == ContainerKind.Ephemeral ? null : false,
            State = Waiting(pass, spec),
            LastState = old?.LastState ?? new V1ContainerState(),
        };
        FillMounts(pass, spec, status);
        if (pass.View.Runtime is not null && old?.State?.Terminated is null && IsDoneUnseen(pass, spec))
        {
            status.State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { Reason = "Completed", Message = DoneUnseen, ExitCode = 0 } };
            status.Ready = true;
            return status;
        }

        if (old is null || string.IsNullOrEmpty(old.ContainerID) || pass.View.Runtime is null)
        {
            return pass.View.Runtime is null && old is not null ? old : status;
        }

        status.ContainerID = old.ContainerID;
        status.ImageID = old.ImageID;
        if (old.State?.Terminated is { } ended)
        {
            if (RestartAllRules.IsUnderWay(pass))
            {
                // It was taken away to begin again.
                status.LastState = new V1ContainerState { Terminated = ended };
                return status;
            }

            status.State = old.State;
            status.Ready = spec.Kind == ContainerKind.Init && old.Ready;
            return status;
        }

        if (old.State?.Running is null)
        {
            return status;
        }

        var lost = new V1ContainerStateTerminated { Reason = "ContainerStatusUnknown", Message = Lost, ExitCode = 137, ContainerID = old.ContainerID };
        var again = pass.Memory.Stage < Stage.Stopping && (RestartAllRules.IsUnderWay(pass) || RestartRules.ShouldRestart(pass.Pod, spec, 137));
        status.State = again ? status.State : new V1ContainerState { Terminated = lost };
        status.LastState = again ? new V1ContainerState { Terminated = lost } : status.LastState;
        return status;
    }

    /// <summary>
    /// True for an init container that nobody remembers in a pod that is past its init containers: it must have ended well. A pod from a file
    /// comes to this at a restart of podhost, for its status lives in memory alone.
    /// </summary>
    private static bool IsDoneUnseen(DecisionPass pass, ContainerSpec spec) =>
        spec.Kind == ContainerKind.Init && !spec.IsSidecar && !RestartAllRules.IsUnderWay(pass)
        && SandboxRules.Newest(pass) is { } sandbox && InitRules.IsInitialized(pass, sandbox.Id);

    private static V1ContainerState Waiting(DecisionPass pass, ContainerSpec spec)
    {
        var hasInit = spec.Kind == ContainerKind.Init || (spec.Kind == ContainerKind.Main && pass.Pod.Spec?.InitContainers is { Count: > 0 });
        var latest = pass.View.Runtime?.Latest(spec.Name);
        var why = WhyWaiting(pass, spec, latest is null ? RestartRules.EndOf(pass, spec.Name, latest) : null) ?? (hasInit ? "PodInitializing" : "ContainerCreating", null);
        return new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = why.Reason, Message = why.Message } };
    }

    private static (string Reason, string? Message)? WhyWaiting(DecisionPass pass, ContainerSpec spec, DateTimeOffset? ended)
    {
        if (ended is { } end && RestartRules.Waiting(pass, spec.Name, end) is { } backOff)
        {
            return ("CrashLoopBackOff", $"back-off {GoDuration.Format(backOff.Delay)} restarting failed container={spec.Name} pod={StatusRules.Id(pass.Pod)}");
        }

        if (ImageRules.Waiting(pass, spec) is { } image)
        {
            return image;
        }

        return pass.Memory.StartFailures.TryGetValue(spec.Name, out var failure) ? (failure.Reason, failure.Message) : null;
    }

    /// <summary>A container that was shown waiting after its end stays so until its next instance runs: the way there is no state of its own.</summary>
    private static (string Reason, string? Message)? StillWaiting(DecisionPass pass, ContainerView ended)
    {
        var old = ContainerRules.OldStatus(pass, ended.Name);
        return old?.State?.Waiting is { } waiting && old.ContainerID == ContainerId(pass, ended) ? (waiting.Reason, waiting.Message) : null;
    }

    private static V1ContainerStateTerminated Terminated(DecisionPass pass, ContainerView c) => new()
    {
        ContainerID = ContainerId(pass, c),
        ExitCode = c.ExitCode,
        Reason = c.Reason.Length > 0 ? c.Reason : c.ExitCode == 0 ? "Completed" : "Error",
        Message = Share(pass, c.Message.Length > 0 ? c.Message : KnownMessage(pass, c)),
        StartedAt = Time(c.StartedAt),
        FinishedAt = Time(c.FinishedAt),
    };

    /// <summary>The termination message as it was read once: its file goes with the pod's volumes.</summary>
    private static string? KnownMessage(DecisionPass pass, ContainerView c)
    {
        var old = ContainerRules.OldStatus(pass, c.Name);
        var id = ContainerId(pass, c);
        return old?.State?.Terminated is { } now && now.ContainerID == id ? now.Message
            : old?.LastState?.Terminated is { } last && last.ContainerID == id ? last.Message
            : null;
    }

    private static void FillRunning(DecisionPass pass, ContainerSpec spec, ContainerView latest, V1ContainerStatus status)
    {
        if (spec.Kind != ContainerKind.Ephemeral)
        {
            // Also where it asks for nothing: resources in the status tell that this node can resize.
            status.AllocatedResources = spec.Container.Resources?.Requests;
            var applied = ResizeRules.AppliedTo(pass, spec, latest);
            status.Resources = new V1ResourceRequirements { Requests = applied?.Requests, Limits = Own(applied?.Limits, spec.Container.Resources?.Limits) };
        }

        if (latest.User is { } user)
        {
            status.User = new V1ContainerUser
            {
                Linux = new V1LinuxContainerUser { Uid = user.Uid, Gid = user.Gid, SupplementalGroups = [.. user.SupplementalGroups.Select(g => (long?)g)] },
            };
        }
    }

    // Limits that it has from the pod as a whole are told there.
    private static IDictionary<string, ResourceQuantity>? Own(IDictionary<string, ResourceQuantity>? applied, IDictionary<string, ResourceQuantity>? own) =>
        applied is null || own is null ? null : applied.Where(e => own.ContainsKey(e.Key)).ToDictionary(StringComparer.Ordinal);

    private static void FillMounts(DecisionPass pass, ContainerSpec spec, V1ContainerStatus status)
    {
        var supported = pass.View.Settings.RecursiveReadOnlyHandlers.Contains(Handler(pass));
        foreach (var mount in spec.Container.VolumeMounts ?? [])
        {
            (status.VolumeMounts ??= []).Add(new V1VolumeMountStatus
            {
                Name = mount.Name,
                MountPath = mount.MountPath,
                ReadOnlyProperty = mount.ReadOnlyProperty == true ? true : null,
                RecursiveReadOnly = RecursiveReadOnly.Shown(mount, supported),
            });
        }
    }

    /// <summary>The runtime handler of the pod; before its sandbox is there the class alone is known, which may be named otherwise.</summary>
    private static string Handler(DecisionPass pass) =>
        pass.View.Runtime is not null && SandboxRules.Newest(pass) is { } sandbox ? sandbox.Handler : pass.Pod.Spec?.RuntimeClassName ?? "";

    private static string ContainerId(DecisionPass pass, ContainerView c) => $"{pass.View.Settings.RuntimeName}://{c.Id}";

    private static DateTime? Time(DateTimeOffset at) => at == default ? null : StatusRules.Seconds(at);
}
