using k8s.Models;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Hosting;

/// <summary>Pods that only left traces: in the runtime, on disk, in the cgroup tree, among the logs. Each gets a loop that cleans it up.</summary>
internal sealed class OrphanPods(IVolumeManager volumes, IPodCgroups cgroups, string logsDirectory)
{
    /// <summary>Everything that has traces here; names are known only where the runtime or the logs tell them.</summary>
    public IReadOnlyList<V1Pod> Find(IReadOnlyList<RuntimePod> inRuntime, Func<string, bool> isKnown)
    {
        var found = new Dictionary<string, RuntimePod>(StringComparer.Ordinal);
        foreach (var pod in inRuntime.Concat(InLogs()).Concat(volumes.PodsOnDisk().Concat(cgroups.PodsInCgroups()).Select(uid => new RuntimePod(uid, "", ""))))
        {
            if (!isKnown(pod.Uid) && (!found.TryGetValue(pod.Uid, out var known) || known.Name.Length == 0))
            {
                found[pod.Uid] = pod;
            }
        }

        return [.. found.Values.Select(Make)];
    }

    /// <summary>A pod with only its identity; what it ran is read from the runtime.</summary>
    public static V1Pod Make(RuntimePod pod) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new V1ObjectMeta
        {
            Uid = pod.Uid,
            NamespaceProperty = pod.Namespace.Length > 0 ? pod.Namespace : "unknown",
            Name = pod.Name.Length > 0 ? pod.Name : pod.Uid,
        },
        Spec = new V1PodSpec { Containers = [], TerminationGracePeriodSeconds = 30 },
    };

    /// <summary>Log directories are named <c>namespace_name_uid</c>.</summary>
    private IEnumerable<RuntimePod> InLogs()
    {
        if (!Directory.Exists(logsDirectory))
        {
            yield break;
        }

        foreach (var directory in Directory.EnumerateDirectories(logsDirectory))
        {
            var parts = Path.GetFileName(directory).Split('_');
            if (parts.Length == 3)
            {
                yield return new RuntimePod(parts[2], parts[0], parts[1]);
            }
        }
    }
}
