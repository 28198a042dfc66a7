using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What a pod needs before anything of it can start: its cgroup and its volumes.</summary>
internal static class ResourceRules
{
    /// <summary>Wants what is missing. True where containers may be started.</summary>
    public static bool Apply(DecisionPass pass)
    {
        var generation = pass.AllocatedGeneration;
        if (!pass.Memory.CgroupReady || pass.Memory.CgroupGeneration != generation)
        {
            pass.WantWithRetry(new EnsureCgroup(generation));
        }

        // Containers go on while files are renewed.
        var shown = ShownByFiles(pass.Pod.Metadata, generation);
        if (!pass.Memory.VolumesMounted || pass.Memory.VolumesShow != shown)
        {
            pass.WantWithRetry(new MountVolumes(shown));
        }

        return pass.Memory is { CgroupReady: true, VolumesMounted: true };
    }

    // The downward API shows labels, annotations and resources; resources change with the generation that they are of.
    private static string ShownByFiles(V1ObjectMeta? metadata, long allocated) =>
        $"{metadata?.Generation} {allocated}\n{Lines(metadata?.Labels)}\n{Lines(metadata?.Annotations)}";

    private static string Lines(IDictionary<string, string>? map) => map is null ? "" : string.Join('\n',
        map.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value.Length}:{e.Value}"));
}
