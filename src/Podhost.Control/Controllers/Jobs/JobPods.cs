using System.Globalization;
using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>The pods of a Job. Pure.</summary>
internal static class JobPods
{
    /// <summary>When the last of a pod's containers ended; null where that is not known.</summary>
    public static DateTime? EndOf(V1Pod pod)
    {
        var ends = (pod.Status?.ContainerStatuses ?? []).Select(c => c.State?.Terminated?.FinishedAt).OfType<DateTime>().ToList();
        return ends.Count > 0 ? ends.Max() : pod.Metadata.DeletionTimestamp ?? pod.Status?.Conditions?.Select(c => c.LastTransitionTime).Max();
    }

    /// <summary>A pod of the template; with an index, it learns it by label, annotation, environment and host name.</summary>
    /// <param name="job">The job.</param>
    /// <param name="index">The index; -1 for none.</param>
    /// <param name="replaced">The failed pod of the index before it, or null.</param>
    public static V1Pod Make(V1Job job, int index, V1Pod? replaced = null)
    {
        var pod = PodTemplates.Make(job.Spec.Template, job, Ownership.Reference(job, "batch/v1", "Job"));
        pod.Metadata.Finalizers = [.. pod.Metadata.Finalizers ?? [], JobNames.Tracking];
        if (index < 0)
        {
            return pod;
        }

        var text = index.ToString(CultureInfo.InvariantCulture);
        pod.Metadata.GenerateName = $"{job.Metadata.Name}-{text}-";
        (pod.Metadata.Annotations ??= new Dictionary<string, string>())[JobNames.CompletionIndex] = text;
        foreach (var (name, value) in IndexFailures.AreLimited(job) ? IndexFailures.Annotations(job, replaced) : [])
        {
            pod.Metadata.Annotations[name] = value;
        }

        (pod.Metadata.Labels ??= new Dictionary<string, string>())[JobNames.CompletionIndex] = text;
        pod.Spec.Hostname ??= $"{job.Metadata.Name}-{text}";
        foreach (var container in (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers))
        {
            if (container.Env?.Any(e => e.Name == "JOB_COMPLETION_INDEX") != true)
            {
                container.Env = [.. container.Env ?? [], Variable()];
            }
        }

        return pod;
    }

    private static V1EnvVar Variable() => new()
    {
        Name = "JOB_COMPLETION_INDEX",
        ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = $"metadata.labels['{JobNames.CompletionIndex}']" } },
    };
}
