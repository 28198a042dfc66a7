namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What a pod needs before anything of it can start: its cgroup and its volumes.</summary>
internal static class ResourceRules
{
    /// <summary>Wants what is missing. True where containers may be started.</summary>
    public static bool Apply(DecisionPass pass)
    {
        var generation = pass.Pod.Metadata?.Generation ?? 0;
        if (!pass.Memory.CgroupReady || pass.Memory.CgroupGeneration != generation)
        {
            pass.WantWithRetry(new EnsureCgroup(generation));
        }

        if (!pass.Memory.VolumesMounted)
        {
            pass.WantWithRetry(new MountVolumes());
        }

        return pass.Memory is { CgroupReady: true, VolumesMounted: true };
    }
}
