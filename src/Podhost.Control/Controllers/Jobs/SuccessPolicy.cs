using k8s.Models;
using Podhost.Api.Workloads;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>Whether a Job has succeeded although not all of its indexes have. Pure. Source: upstream's matchSuccessPolicy.</summary>
internal static class SuccessPolicy
{
    /// <summary>The message of the first rule that is met; null for none.</summary>
    /// <param name="job">The job.</param>
    /// <param name="succeeded">The indexes that have succeeded.</param>
    public static string? Match(V1Job job, IReadOnlyCollection<int> succeeded)
    {
        var rules = job.Spec.SuccessPolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            if (IsMet(rules[i], job.Spec.Completions ?? 0, succeeded))
            {
                return $"Matched rules at index {i}";
            }
        }

        return null;
    }

    private static bool IsMet(V1SuccessPolicyRule rule, int completions, IReadOnlyCollection<int> succeeded)
    {
        if (rule.SucceededIndexes is not { } text)
        {
            return rule.SucceededCount is { } count && succeeded.Count >= count;
        }

        // What validation let through can be read.
        return IndexRanges.Parse(text, completions, out var wanted) is null && succeeded.Count(wanted.Contains) >= (rule.SucceededCount ?? wanted.Count);
    }
}
