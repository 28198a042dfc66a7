using System.Globalization;
using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>The cgroup values of one container.</summary>
internal static class ContainerCgroupValues
{
    private const long PageSize = 4096;

    public static LinuxResources Of(V1Pod pod, V1Container container, NodeResources node, ResourceOptions options)
    {
        var cpuLimit = Limit(pod.Spec, container, ResourceNames.Cpu);
        var memoryLimit = Quantities.Value(Limit(pod.Spec, container, ResourceNames.Memory));
        return new LinuxResources
        {
            CpuShares = CpuMath.Shares(Quantities.MilliValue(CpuRequest(container, cpuLimit))),
            CpuQuota = options.CpuCfsQuota ? CpuMath.Quota(Quantities.MilliValue(cpuLimit), options.PeriodMicroseconds) : null,
            CpuPeriod = options.CpuCfsQuota ? options.PeriodMicroseconds : null,
            MemoryLimit = memoryLimit > 0 ? memoryLimit : null,
            OomScoreAdj = OomScore.Of(pod, container, node.MemoryCapacity),
            HugePages = HugePages(container.Resources?.Limits, options),
            Unified = Unified(container, memoryLimit, node, options),
        };
    }

    /// <summary>A container's limit, or the pod's where it has none of its own.</summary>
    public static decimal Limit(V1PodSpec spec, V1Container container, string resource)
    {
        var own = container.Resources?.Limits.Get(resource) ?? 0;
        return own > 0 ? own : spec.Resources?.Limits.Get(resource) ?? 0;
    }

    /// <summary>Every page size of the machine, at 0 where nothing was asked for: huge pages are never over-committed.</summary>
    public static IReadOnlyDictionary<string, long> HugePages(IDictionary<string, ResourceQuantity>? limits, ResourceOptions options)
    {
        var result = options.HugePageSizes.ToDictionary(size => size, _ => 0L, StringComparer.Ordinal);
        foreach (var (name, amount) in Quantities.ToAmounts(limits))
        {
            if (ResourceNames.HugePageUnit(name) is { } unit && result.ContainsKey(unit))
            {
                result[unit] = Quantities.Value(amount);
            }
        }

        return result;
    }

    private static decimal CpuRequest(V1Container container, decimal limit) =>
        container.Resources?.Requests.Has(ResourceNames.Cpu) == true ? container.Resources.Requests.Get(ResourceNames.Cpu) : limit;

    private static Dictionary<string, string> Unified(V1Container container, long memoryLimit, NodeResources node, ResourceOptions options)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!options.CgroupV2)
        {
            return result;
        }

        if (!options.SingleProcessOomKill)
        {
            result["memory.oom.group"] = "1";
        }

        if (options.MemoryQos)
        {
            AddMemoryQos(result, Quantities.Value(container.Resources?.Requests.Get(ResourceNames.Memory) ?? 0), memoryLimit, node, options);
        }

        return result;
    }

    private static void AddMemoryQos(Dictionary<string, string> unified, long request, long limit, NodeResources node, ResourceOptions options)
    {
        if (request > 0)
        {
            unified["memory.min"] = request.ToString(CultureInfo.InvariantCulture);
        }

        var top = limit > 0 ? limit : Quantities.Value(node.AllocatableOf(ResourceNames.Memory));
        var high = decimal.Floor((request + (options.MemoryThrottlingFactor * (top - request))) / PageSize) * PageSize;

        // Throttling below the request, or a container whose request is its limit, would only hurt.
        if (request != limit && high > request)
        {
            unified["memory.high"] = ((long)high).ToString(CultureInfo.InvariantCulture);
        }
    }
}
