using System.Globalization;
using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>
/// The failures of single indexes of a Job with backoffLimitPerIndex. How often an index failed is an annotation of its newest pod, so the last
/// failed pod of an index keeps its finalizer until the next one carries the number on. Pure. Source: upstream's indexed_job_utils.
/// </summary>
internal static class IndexFailures
{
    public const string Count = "batch.kubernetes.io/job-index-failure-count";
    public const string IgnoredCount = "batch.kubernetes.io/job-index-ignored-failure-count";

    public static bool AreLimited(V1Job job) => JobNames.IsIndexed(job) && job.Spec.BackoffLimitPerIndex is not null;

    /// <summary>True where a failed pod was the last one that its index could have.</summary>
    public static bool IsLast(V1Job job, V1Pod pod) => FailurePolicy.Match(job, pod).Action switch
    {
        "FailIndex" => true,
        "Ignore" => false,
        _ => Number(pod, Count) >= job.Spec.BackoffLimitPerIndex,
    };

    /// <summary>The pods that keep their finalizer until a replacement is there, by index.</summary>
    /// <param name="failed">Pods that failed and have their finalizer.</param>
    /// <param name="settled">Indexes that need no replacement.</param>
    public static Dictionary<int, V1Pod> Awaiting(IEnumerable<V1Pod> failed, IReadOnlySet<int> settled) => failed
        .Where(p => !settled.Contains(JobNames.IndexOf(p)))
        .GroupBy(JobNames.IndexOf)
        .ToDictionary(g => g.Key, g => g.OrderBy(All).ThenBy(p => JobPods.EndOf(p)).Last());

    /// <summary>What the pod of an index learns of those before it.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Annotations(V1Job job, V1Pod? replaced)
    {
        var (counted, ignored) = (0, 0);
        if (replaced is not null)
        {
            var isIgnored = FailurePolicy.Match(job, replaced).Action == "Ignore";
            (counted, ignored) = (Number(replaced, Count) + (isIgnored ? 0 : 1), Number(replaced, IgnoredCount) + (isIgnored ? 1 : 0));
        }

        yield return new(Count, counted.ToString(CultureInfo.InvariantCulture));
        if (ignored > 0)
        {
            yield return new(IgnoredCount, ignored.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>How often the index of a pod failed before it, ignored failures included.</summary>
    public static int All(V1Pod pod) => Number(pod, Count) + Number(pod, IgnoredCount);

    private static int Number(V1Pod pod, string annotation) =>
        pod.Metadata.Annotations?.TryGetValue(annotation, out var text) == true
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
