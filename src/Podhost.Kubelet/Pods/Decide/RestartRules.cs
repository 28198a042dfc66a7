using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Whether and when a container that ended is started again.</summary>
internal static class RestartRules
{
    /// <summary>The policy that a container's end is judged by: its rules, its own policy, the pod's policy, in this order.</summary>
    public static bool ShouldRestart(V1Pod pod, ContainerSpec spec, int exitCode)
    {
        if (spec.Kind == ContainerKind.Ephemeral)
        {
            return false;
        }

        if (spec.IsSidecar)
        {
            return true;
        }

        foreach (var rule in spec.Container.RestartPolicyRules ?? [])
        {
            if (Matches(rule, exitCode))
            {
                return rule.Action is "Restart" or "RestartAllContainers";
            }
        }

        return PolicyOf(pod, spec) switch
        {
            "Never" => false,
            "OnFailure" => exitCode != 0,
            _ => spec.Kind != ContainerKind.Init || exitCode != 0,
        };
    }

    /// <summary>True where an end of the container, whatever its exit code, is never the last one.</summary>
    public static string PolicyOf(V1Pod pod, ContainerSpec spec) =>
        string.IsNullOrEmpty(spec.Container.RestartPolicy) ? pod.Spec?.RestartPolicy ?? "Always" : spec.Container.RestartPolicy;

    /// <summary>When a container that ended may be started again; at or before now where at once.</summary>
    public static DateTimeOffset EarliestStart(DecisionPass pass, ContainerView ended)
    {
        if (!pass.Memory.Restarts.TryGetValue(ended.Name, out var backOff) || HasExpired(pass.View.Settings, backOff, ended.FinishedAt))
        {
            return DateTimeOffset.MinValue;
        }

        return ended.FinishedAt + backOff.Delay;
    }

    /// <summary>Counts a restart: the next one waits longer.</summary>
    public static void CountRestart(DecisionPass pass, string container, DateTimeOffset at)
    {
        var settings = pass.View.Settings;
        var delay = Min(settings.RestartBackOffBase, settings.RestartBackOffMax);
        if (pass.Memory.Restarts.TryGetValue(container, out var last) && !HasExpired(settings, last, at))
        {
            delay = Min(last.Delay * 2, settings.RestartBackOffMax);
        }

        pass.Memory = pass.Memory with { Restarts = pass.Memory.Restarts.SetItem(container, new BackOff(delay, at)) };
    }

    /// <summary>The back-off that keeps a container waiting, where one does.</summary>
    public static BackOff? Waiting(DecisionPass pass, ContainerView ended) =>
        EarliestStart(pass, ended) > pass.Now ? pass.Memory.Restarts[ended.Name] : null;

    /// <summary>Time until the next try of something that failed: doubling from a second.</summary>
    public static TimeSpan RetryDelay(int failures, TimeSpan first, TimeSpan max) =>
        Min(first * Math.Pow(2, Math.Clamp(failures - 1, 0, 20)), max);

    private static bool HasExpired(PodSettings settings, BackOff backOff, DateTimeOffset at) => at - backOff.LastStart > settings.RestartBackOffReset;

    private static bool Matches(V1ContainerRestartRule rule, int exitCode)
    {
        var codes = rule.ExitCodes;
        if (codes is null)
        {
            return false;
        }

        var listed = codes.Values?.Contains(exitCode) ?? false;
        return codes.OperatorProperty == "NotIn" ? !listed : listed;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
