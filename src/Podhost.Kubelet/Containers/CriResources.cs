using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Containers;

/// <summary>Cgroup values in CRI's message.</summary>
internal static class CriResources
{
    /// <summary>Resources of a container.</summary>
    public static LinuxContainerResources Of(LinuxResources resources, ResourceOptions options)
    {
        var result = new LinuxContainerResources
        {
            CpuShares = resources.CpuShares ?? 0,
            CpuQuota = resources.CpuQuota ?? 0,
            CpuPeriod = resources.CpuPeriod ?? 0,
            MemoryLimitInBytes = resources.MemoryLimit ?? 0,

            // Memory plus swap: equal to the limit is no swap at all.
            MemorySwapLimitInBytes = options.SwapController ? resources.MemoryLimit ?? 0 : 0,
            OomScoreAdj = resources.OomScoreAdj ?? 0,
        };
        result.HugepageLimits.AddRange(resources.HugePages
            .OrderBy(h => h.Key, StringComparer.Ordinal)
            .Select(h => new HugepageLimit { PageSize = h.Key, Limit = (ulong)h.Value }));
        result.Unified.Add(resources.Unified.ToDictionary(u => u.Key, u => u.Value));
        return result;
    }

    /// <summary>The sum of a pod's containers, for runtimes that size a sandbox (virtual machines).</summary>
    public static LinuxContainerResources Pod(V1Pod pod, ResourceOptions options) => FromLists(
        PodResources.Requests(WithoutOverhead(pod)), PodResources.Limits(WithoutOverhead(pod)), options);

    /// <summary>The overhead of the pod's runtime class, or null.</summary>
    public static LinuxContainerResources? Overhead(V1Pod pod, ResourceOptions options)
    {
        var overhead = Quantities.ToAmounts(pod.Spec.Overhead);
        return overhead.Count == 0 ? null : FromLists(overhead, overhead, options);
    }

    private static LinuxContainerResources FromLists(
        IReadOnlyDictionary<string, decimal> requests, IReadOnlyDictionary<string, decimal> limits, ResourceOptions options) => new()
    {
        CpuShares = CpuMath.Shares(Quantities.MilliValue(requests.Get(ResourceNames.Cpu))),
        CpuQuota = options.CpuCfsQuota ? CpuMath.Quota(Quantities.MilliValue(limits.Get(ResourceNames.Cpu)), options.PeriodMicroseconds) : 0,
        CpuPeriod = options.CpuCfsQuota ? options.PeriodMicroseconds : 0,
        MemoryLimitInBytes = Quantities.Value(limits.Get(ResourceNames.Memory)),
    };

    private static V1Pod WithoutOverhead(V1Pod pod) => pod.Spec.Overhead is null
        ? pod
        : new V1Pod
        {
            Spec = new V1PodSpec
            {
                Containers = pod.Spec.Containers,
                InitContainers = pod.Spec.InitContainers,
                Resources = pod.Spec.Resources,
            },
        };
}
