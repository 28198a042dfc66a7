using k8s.Models;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>What a Job's podFailurePolicy makes of a failed pod. Pure. Source: upstream's matchPodFailurePolicy.</summary>
internal static class FailurePolicy
{
    /// <summary>The action (Count where no rule matches) and, for FailJob, the message.</summary>
    public static (string Action, string Message) Match(V1Job job, V1Pod pod)
    {
        var rules = job.Spec.PodFailurePolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            if (MatchOne(rules[i], pod) is { } why)
            {
                return (rules[i].Action, $"{why} matching {rules[i].Action} rule at index {i}");
            }
        }

        return ("Count", "");
    }

    private static string? MatchOne(V1PodFailurePolicyRule rule, V1Pod pod)
    {
        var name = $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";
        if (rule.OnExitCodes is { } codes)
        {
            return Ended(pod).Where(c => codes.ContainerName is null || codes.ContainerName == c.Name)
                .Where(c => c.Code != 0 && codes.Values.Contains(c.Code) == (codes.OperatorProperty == "In"))
                .Select(c => $"Container {c.Name} for pod {name} failed with exit code {c.Code}").FirstOrDefault();
        }

        return (pod.Status?.Conditions ?? []).Where(c => (rule.OnPodConditions ?? []).Any(p => p.Type == c.Type && (p.Status ?? "True") == c.Status))
            .Select(c => $"Pod {name} has condition {c.Type}").FirstOrDefault();
    }

    private static IEnumerable<(string Name, int Code)> Ended(V1Pod pod) =>
        (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? [])
            .Where(c => c.State?.Terminated is not null).Select(c => (c.Name, c.State.Terminated.ExitCode));
}
