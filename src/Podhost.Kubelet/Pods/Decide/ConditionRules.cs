using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>The conditions of a pod, with upstream's reasons and messages. Conditions of others are left to them.</summary>
internal static class ConditionRules
{
    public static IList<V1PodCondition> Build(DecisionPass pass, V1PodStatus status, V1PodStatus? old)
    {
        var conditions = new List<V1PodCondition>
        {
            Make("PodReadyToStartContainers", ReadyToStart(pass)),
            Initialized(pass, status),
        };
        var containers = ContainersReady(pass, status);
        conditions.Add(Ready(pass, containers));
        conditions.Add(containers);
        conditions.Add(Make("PodScheduled", true));
        if (pass.Memory.Terminal is { Disrupted: true } disrupted)
        {
            conditions.Add(new V1PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "TerminationByKubelet", Message = disrupted.Disruption ?? disrupted.Message });
        }

        if (RestartAllRules.IsPossible(pass.Pod))
        {
            conditions.Add(AllRestarting(pass, status));
        }

        foreach (var resize in new[] { ResizeRules.Pending(pass), ResizeRules.InProgress(pass) })
        {
            if (resize is not null)
            {
                conditions.Add(resize);
            }
        }

        foreach (var condition in conditions)
        {
            Stamp(pass, condition, old);
        }

        return conditions;
    }

    /// <summary>
    /// True for the condition types that the kubelet alone writes, and takes away where they do not hold any more. DisruptionTarget is not
    /// one: the scheduler and controllers write it too, and what it says (this disruption was begun) stays true after a restart.
    /// </summary>
    public static bool IsOwn(string type) =>
        type is "PodReadyToStartContainers" or "Initialized" or "Ready" or "ContainersReady" or "PodScheduled" or "PodResizeInProgress" or "PodResizePending"
            or RestartAllRules.ConditionType;

    private static bool ReadyToStart(DecisionPass pass) =>
        pass.Memory.Stage is Stage.Active or Stage.Stopping && SandboxRules.Live(pass) is { } live && !pass.Memory.StoppedSandboxes.Contains(live.Id);

    private static V1PodCondition AllRestarting(DecisionPass pass, V1PodStatus status) =>
        status.Phase is "Succeeded" or "Failed" ? Make(RestartAllRules.ConditionType, false, status.Phase == "Succeeded" ? "PodCompleted" : "PodFailed")
        : RestartAllRules.IsAsked(pass) ? Make(RestartAllRules.ConditionType, true, "RestartAllContainersStarted", "container exited with restart policy rule")
        : Make(RestartAllRules.ConditionType, false);

    private static V1PodCondition Initialized(DecisionPass pass, V1PodStatus status)
    {
        if (status.Phase == "Succeeded")
        {
            return Make("Initialized", true, "PodCompleted");
        }

        var sandbox = pass.View.Runtime is null ? null : SandboxRules.Newest(pass);
        if (sandbox is not null && InitRules.IsInitialized(pass, sandbox.Id))
        {
            return Make("Initialized", true);
        }

        var incomplete = new List<string>();
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind == ContainerKind.Init && !IsDone(status, spec))
            {
                incomplete.Add(spec.Name);
            }
        }

        return incomplete.Count == 0
            ? Make("Initialized", true)
            : Make("Initialized", false, "ContainersNotInitialized", $"containers with incomplete status: [{string.Join(' ', incomplete)}]");
    }

    private static bool IsDone(V1PodStatus status, ContainerSpec spec)
    {
        var one = status.InitContainerStatuses?.FirstOrDefault(s => s.Name == spec.Name);
        return one is not null && (spec.IsSidecar ? one.Started == true : one.Ready);
    }

    private static V1PodCondition ContainersReady(DecisionPass pass, V1PodStatus status)
    {
        if (status.Phase is "Succeeded" or "Failed")
        {
            return Make("ContainersReady", false, status.Phase == "Succeeded" ? "PodCompleted" : "PodFailed");
        }

        var unready = new List<string>();
        foreach (var spec in pass.Specs)
        {
            var one = spec.Kind == ContainerKind.Main
                ? status.ContainerStatuses?.FirstOrDefault(s => s.Name == spec.Name)
                : spec.IsSidecar ? status.InitContainerStatuses?.FirstOrDefault(s => s.Name == spec.Name) : null;
            if (one is { Ready: false })
            {
                unready.Add(spec.Name);
            }
        }

        return unready.Count == 0
            ? Make("ContainersReady", true)
            : Make("ContainersReady", false, "ContainersNotReady", $"containers with unready status: [{string.Join(' ', unready)}]");
    }

    private static V1PodCondition Ready(DecisionPass pass, V1PodCondition containers)
    {
        if (containers.Status != "True")
        {
            return Make("Ready", false, containers.Reason, containers.Message);
        }

        var messages = new List<string>();
        foreach (var gate in pass.Pod.Spec?.ReadinessGates ?? [])
        {
            var condition = pass.Pod.Status?.Conditions?.FirstOrDefault(c => c.Type == gate.ConditionType);
            if (condition is null)
            {
                messages.Add($"corresponding condition of pod readiness gate \"{gate.ConditionType}\" does not exist.");
            }
            else if (condition.Status != "True")
            {
                messages.Add($"the status of pod readiness gate \"{gate.ConditionType}\" is not \"True\", but {condition.Status}");
            }
        }

        return messages.Count == 0 ? Make("Ready", true) : Make("Ready", false, "ReadinessGatesNotReady", string.Join(", ", messages));
    }

    private static void Stamp(DecisionPass pass, V1PodCondition condition, V1PodStatus? old)
    {
        var before = old?.Conditions?.FirstOrDefault(c => c.Type == condition.Type);
        condition.ObservedGeneration ??= pass.Pod.Metadata?.Generation;
        condition.LastTransitionTime = before is not null && before.Status == condition.Status && before.LastTransitionTime is { } at
            ? at
            : StatusRules.Seconds(pass.Now);
    }

    private static V1PodCondition Make(string type, bool status, string? reason = null, string? message = null) =>
        new() { Type = type, Status = status ? "True" : "False", Reason = reason, Message = message };
}
