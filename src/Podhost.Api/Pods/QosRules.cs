using k8s.Models;

namespace Podhost.Api.Pods;

/// <summary>Quality-of-service class of a pod.</summary>
public enum QosClass
{
    /// <summary>No request and no limit at all.</summary>
    BestEffort,

    /// <summary>Anything between the others.</summary>
    Burstable,

    /// <summary>CPU and memory limits everywhere, and requests equal to them.</summary>
    Guaranteed,
}

/// <summary>QoS class from cpu and memory of all containers, init containers included, or of the pod where spec.resources is set.</summary>
public static class QosRules
{
    private static readonly string[] Counted = [ResourceNames.Cpu, ResourceNames.Memory];

    /// <summary>The class of a pod: the one in its status where the API has set it, else computed.</summary>
    public static QosClass Of(V1Pod pod) => pod.Status?.QosClass switch
    {
        nameof(QosClass.Guaranteed) => QosClass.Guaranteed,
        nameof(QosClass.Burstable) => QosClass.Burstable,
        nameof(QosClass.BestEffort) => QosClass.BestEffort,
        _ => Compute(pod),
    };

    /// <summary>Computes the class from the spec.</summary>
    public static QosClass Compute(V1Pod pod)
    {
        var requests = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var limits = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var guaranteed = true;
        foreach (var resources in Considered(pod.Spec))
        {
            Collect(requests, resources?.Requests);
            guaranteed &= Collect(limits, resources?.Limits) == Counted.Length;
        }

        if (requests.Count == 0 && limits.Count == 0)
        {
            return QosClass.BestEffort;
        }

        guaranteed &= requests.All(r => limits.TryGetValue(r.Key, out var limit) && limit == r.Value);
        return guaranteed && requests.Count == limits.Count ? QosClass.Guaranteed : QosClass.Burstable;
    }

    private static IEnumerable<V1ResourceRequirements?> Considered(V1PodSpec spec) =>
        PodResources.HasPodLevel(spec)
            ? [spec.Resources]
            : (spec.Containers ?? []).Concat(spec.InitContainers ?? []).Select(c => c.Resources);

    private static int Collect(Dictionary<string, decimal> into, IDictionary<string, ResourceQuantity>? list)
    {
        var found = 0;
        foreach (var name in Counted)
        {
            var amount = list.Get(name);
            if (amount > 0)
            {
                into[name] = into.GetValueOrDefault(name) + amount;
                found++;
            }
        }

        return found;
    }
}
