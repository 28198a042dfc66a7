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

        if (Matching(spec, exitCode) is { } rule)
        {
            return rule.Action is "Restart" or "RestartAllContainers";
        }

        return PolicyOf(pod, spec) switch
        {
            "Never" => false,
            "OnFailure" => exitCode != 0,
            _ => spec.Kind != ContainerKind.Init || exitCode != 0,
        };
    }

    /// <summary>The first rule of a container that an exit code matches, or null.</summary>
    public static V1ContainerRestartRule? Matching(ContainerSpec spec, int exitCode) =>
        spec.Container.RestartPolicyRules?.FirstOrDefault(rule => Matches(rule, exitCode));

    /// <summary>True where an end of the container, whatever its exit code, is never the last one.</summary>
    public static string PolicyOf(V1Pod pod, ContainerSpec spec) =>
        string.IsNullOrEmpty(spec.Container.RestartPolicy) ? pod.Spec?.RestartPolicy ?? "Always" : spec.Container.RestartPolicy;

    /// <summary>When a container that ended may be started again; at or before now where at once.</summary>
    /// <param name="pass">The decision.</param>
    /// <param name="container">Its name.</param>
    /// <param name="endedAt">When its last instance ended.</param>
    public static DateTimeOffset EarliestStart(DecisionPass pass, string container, DateTimeOffset endedAt)
    {
        return Current(pass, container, endedAt) is { } backOff ? endedAt + backOff.Delay : DateTimeOffset.MinValue;
    }

    /// <summary>When the last instance of a container ended: as the runtime has it, or the status where the runtime has none any more.</summary>
    public static DateTimeOffset? EndOf(DecisionPass pass, string container, ContainerView? latest)
    {
        if (latest is not null)
        {
            return latest.State == RunState.Exited ? latest.FinishedAt : null;
        }

        var old = ContainerRules.OldStatus(pass, container);
        return (old?.State?.Terminated ?? old?.LastState?.Terminated)?.FinishedAt is { } at ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) : null;
    }

    /// <summary>Counts a restart: the next one waits longer.</summary>
    public static void CountRestart(DecisionPass pass, string container, DateTimeOffset at)
    {
        var settings = pass.View.Settings;
        var delay = Min(settings.RestartBackOffBase, settings.RestartBackOffMax);
        if (Current(pass, container, at) is { } last)
        {
            delay = Min(last.Delay * 2, settings.RestartBackOffMax);
        }

        pass.Memory = pass.Memory with { Restarts = pass.Memory.Restarts.SetItem(container, new BackOff(delay, at, WhatRuns(pass, container))) };
    }

    /// <summary>The back-off that keeps a container waiting, where one does.</summary>
    public static BackOff? Waiting(DecisionPass pass, string container, DateTimeOffset endedAt) =>
        EarliestStart(pass, container, endedAt) > pass.Now ? pass.Memory.Restarts[container] : null;

    /// <summary>Time until the next try of something that failed: doubling from a second.</summary>
    public static TimeSpan RetryDelay(int failures, TimeSpan first, TimeSpan max) =>
        Min(first * Math.Pow(2, Math.Clamp(failures - 1, 0, 20)), max);

    /// <summary>The back-off that holds for a container as its spec is now, or null.</summary>
    private static BackOff? Current(DecisionPass pass, string container, DateTimeOffset at) =>
        pass.Memory.Restarts.TryGetValue(container, out var backOff) && at - backOff.LastStart <= pass.View.Settings.RestartBackOffReset && backOff.Of == WhatRuns(pass, container)
            ? backOff
            : null;

    // As upstream's key of a back-off (GetBackoffKey).
    private static string WhatRuns(DecisionPass pass, string container)
    {
        var spec = pass.Spec(container)?.Container;
        return $"{spec?.Image} requests {Text(spec?.Resources?.Requests)} limits {Text(spec?.Resources?.Limits)}";
    }

    private static string Text(IDictionary<string, ResourceQuantity>? resources) =>
        string.Join(',', (resources ?? new Dictionary<string, ResourceQuantity>()).OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => $"{r.Key}={r.Value}"));

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
