using k8s.Models;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>Names, labels and simple questions about Jobs.</summary>
internal static class JobNames
{
    public const string Tracking = "batch.kubernetes.io/job-tracking";
    public const string CompletionIndex = "batch.kubernetes.io/job-completion-index";

    public static bool IsIndexed(V1Job job) => job.Spec.CompletionMode == "Indexed";

    public static bool IsFinished(V1Job job) => Has(job, "Complete") || Has(job, "Failed");

    public static bool Has(V1Job job, string condition) => job.Status?.Conditions?.Any(c => c.Type == condition && c.Status == "True") == true;

    public static bool IsTracked(V1Pod pod) => pod.Metadata.Finalizers?.Contains(Tracking) == true;

    /// <summary>The completion index of a pod; -1 where it has none.</summary>
    public static int IndexOf(V1Pod pod) =>
        pod.Metadata.Annotations?.TryGetValue(CompletionIndex, out var text) == true
        && int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var index) ? index : -1;
}
