using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Server.Stats;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>A cgroup that /metrics/cadvisor tells of, with cadvisor's labels.</summary>
/// <param name="Container">Name of the container; empty for a pod's and higher cgroups.</param>
/// <param name="Id">The cgroup.</param>
/// <param name="Image">Image of the container.</param>
/// <param name="Name">The runtime's ID of the container.</param>
/// <param name="Namespace">Of the pod.</param>
/// <param name="Pod">Name of the pod.</param>
/// <param name="Reading">What the cgroup tells.</param>
internal sealed record CadvisorSubject(string Container, string Id, string Image, string Name, string Namespace, string Pod, CgroupReading Reading)
{
    /// <summary>The writable layer, of containers.</summary>
    public FilesystemUsage? Layer { get; init; }

    /// <summary>When it started; null where that is not known.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>Network interfaces, of pods with a network of their own.</summary>
    public IReadOnlyList<InterfaceCounters> Interfaces { get; init; } = [];
}

/// <summary>The cgroups of pods and their containers, and those above them.</summary>
internal sealed class CadvisorSubjects(CadvisorSource source, KubeletServerServices services)
{
    private readonly CgroupTree tree = source.Tree;

    public IReadOnlyList<CadvisorSubject> Read(IReadOnlyList<PodUsage> pods)
    {
        var subjects = new List<CadvisorSubject>();
        foreach (var path in new[] { QosClass.Guaranteed, QosClass.Burstable, QosClass.BestEffort }.Select(c => PodCgroupPath.OfClass(source.Resources, c)))
        {
            Add(subjects, path, reading => new CadvisorSubject("", path, "", "", "", "", reading));
        }

        foreach (var usage in pods)
        {
            if (usage.Pod is { } pod)
            {
                AddPod(subjects, pod, usage);
            }
        }

        return subjects;
    }

    private void AddPod(List<CadvisorSubject> subjects, V1Pod pod, PodUsage usage)
    {
        var path = PodCgroupPath.OfPod(source.Resources, pod);
        Add(subjects, path, reading => new CadvisorSubject("", path, "", "", usage.Namespace, usage.Name, reading)
        {
            StartedAt = pod.Status?.StartTime,
            Interfaces = Interfaces(pod, path),
        });
        foreach (var container in usage.Containers)
        {
            var name = container.Attributes.Metadata?.Name ?? "";
            var id = $"{path}/{container.Attributes.Id}";
            Add(subjects, id, reading => new CadvisorSubject(name, id, usage.ImageOf(name) ?? "", container.Attributes.Id, usage.Namespace, usage.Name, reading)
            {
                Layer = container.WritableLayer,
                StartedAt = usage.StartedAt(name),
            });
        }
    }

    private void Add(List<CadvisorSubject> subjects, string path, Func<CgroupReading, CadvisorSubject> make)
    {
        if (CgroupReading.Read(tree, path) is { } reading)
        {
            subjects.Add(make(reading));
        }
    }

    /// <summary>As the infra process sees them: containers may have gone to other network namespaces.</summary>
    private IReadOnlyList<InterfaceCounters> Interfaces(V1Pod pod, string path)
    {
        if (pod.Spec?.HostNetwork == true || services.Pods.FindSandbox(pod.Metadata.Uid) is not { } sandbox)
        {
            return [];
        }

        var processes = tree.Processes($"{path}/{sandbox}");
        return processes.Count > 0 ? InterfaceCounters.Of(processes[0]) : [];
    }
}

/// <summary>Where /metrics/cadvisor reads.</summary>
/// <param name="Tree">The cgroups.</param>
/// <param name="Resources">Where in them pods are.</param>
/// <param name="Machine">The machine's identities, as in the node's status.</param>
public sealed record CadvisorSource(CgroupTree Tree, ResourceOptions Resources, V1NodeSystemInfo Machine);
