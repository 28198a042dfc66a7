using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>The QoS class of a pod whose status does not say it (static pods): upstream's qos.ComputePodQOS.</summary>
internal static class QosRules
{
    private static readonly string[] Counted = ["cpu", "memory"];

    public static string ClassOf(V1Pod pod)
    {
        var any = false;
        var guaranteed = true;
        foreach (var container in (pod.Spec?.Containers ?? []).Concat(pod.Spec?.InitContainers ?? []))
        {
            foreach (var resource in Counted)
            {
                var request = Value(container.Resources?.Requests, resource);
                var limit = Value(container.Resources?.Limits, resource);
                any |= request > 0 || limit > 0;
                guaranteed &= limit > 0 && (request ?? limit) == limit;
            }
        }

        return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
    }

    private static decimal? Value(IDictionary<string, ResourceQuantity>? list, string name) =>
        list is not null && list.TryGetValue(name, out var quantity) ? quantity.ToDecimal() : null;
}
