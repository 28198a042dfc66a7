using System.Globalization;
using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>The cgroup values of a whole pod.</summary>
internal static class PodCgroupValues
{
    public static LinuxResources Of(V1Pod pod, ResourceOptions options)
    {
        var requests = PodResources.Requests(pod);
        var limits = PodResources.Limits(pod);
        var qos = QosRules.Of(pod);
        var limitsCpu = qos == QosClass.Guaranteed || (qos == QosClass.Burstable && PodResources.AllDeclareLimit(pod.Spec, ResourceNames.Cpu));
        var limitsMemory = qos == QosClass.Guaranteed || (qos == QosClass.Burstable && PodResources.AllDeclareLimit(pod.Spec, ResourceNames.Memory));
        var quota = limitsCpu && options.CpuCfsQuota ? CpuMath.Quota(Quantities.MilliValue(limits.Get(ResourceNames.Cpu)), options.PeriodMicroseconds) : 0;
        var memory = limitsMemory ? Quantities.Value(limits.Get(ResourceNames.Memory)) : 0;
        return new LinuxResources
        {
            CpuShares = qos == QosClass.BestEffort ? CpuMath.MinShares : CpuMath.Shares(Quantities.MilliValue(requests.Get(ResourceNames.Cpu))),

            // -1 and not "leave alone": a resize may have taken the limit away.
            CpuQuota = quota > 0 ? quota : -1,
            CpuPeriod = options.PeriodMicroseconds,
            MemoryLimit = memory > 0 ? memory : -1,
            PidsLimit = options.PodPidsLimit is > 0 ? options.PodPidsLimit : null,
            HugePages = HugePages(limits, options),
            Unified = Unified(requests, options),
        };
    }

    private static Dictionary<string, long> HugePages(IReadOnlyDictionary<string, decimal> limits, ResourceOptions options)
    {
        var result = options.HugePageSizes.ToDictionary(size => size, _ => 0L, StringComparer.Ordinal);
        foreach (var (name, amount) in limits)
        {
            if (ResourceNames.HugePageUnit(name) is { } unit && result.ContainsKey(unit))
            {
                result[unit] = Quantities.Value(amount);
            }
        }

        return result;
    }

    private static Dictionary<string, string> Unified(IReadOnlyDictionary<string, decimal> requests, ResourceOptions options)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (options is { CgroupV2: true, MemoryQos: true })
        {
            result["memory.min"] = Quantities.Value(requests.Get(ResourceNames.Memory)).ToString(CultureInfo.InvariantCulture);
        }

        return result;
    }
}
