using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What a pod needs before anything of it can start: its cgroup and its volumes.</summary>
internal static class ResourceRules
{
    /// <summary>Wants what is missing. True where containers may be started.</summary>
    public static bool Apply(DecisionPass pass)
    {
        var generation = pass.AllocatedGeneration;
        if (CgroupStep(pass, generation) is { } step)
        {
            pass.WantWithRetry(step);
        }

        // Containers go on while files are renewed.
        var shown = ShownByFiles(pass.Pod.Metadata, generation);
        if (!pass.Memory.VolumesMounted || pass.Memory.VolumesShow != shown)
        {
            pass.WantWithRetry(new MountVolumes(shown));
        }

        return pass.Memory is { CgroupReady: true, VolumesMounted: true };
    }

    /// <summary>
    /// A pod's limits grow before those of its containers and shrink after them, as upstream orders them (kuberuntime's doPodResizeAction): a
    /// container must not have more than the pod.
    /// </summary>
    private static EnsureCgroup? CgroupStep(DecisionPass pass, long generation)
    {
        var memory = pass.Memory;
        if (memory.CgroupReady && memory.CgroupGeneration == generation)
        {
            return null;
        }

        if (!memory.CgroupReady || !ResizeRules.AnyToResize(pass))
        {
            return new EnsureCgroup(generation);
        }

        return memory.CgroupWidened == generation ? null : new EnsureCgroup(generation, Widen: true);
    }

    // The downward API shows labels, annotations and resources; resources change with the generation that they are of.
    private static string ShownByFiles(V1ObjectMeta? metadata, long allocated) =>
        $"{metadata?.Generation} {allocated}\n{Lines(metadata?.Labels)}\n{Lines(metadata?.Annotations)}";

    private static string Lines(IDictionary<string, string>? map) => map is null ? "" : string.Join('\n',
        map.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value.Length}:{e.Value}"));
}
