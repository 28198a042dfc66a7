using k8s.Models;

namespace Podhost.Api.Pods;

/// <summary>What a whole pod asks for: the larger of the sum of its containers and its init containers in their order, sidecars counted
/// from where they start, pod-level resources in place of the sums, then the overhead of its runtime class.</summary>
public static class PodResources
{
    /// <summary>Effective requests (units: cores, bytes).</summary>
    public static IReadOnlyDictionary<string, decimal> Requests(V1Pod pod)
    {
        var result = Aggregate(pod.Spec, r => r?.Requests);
        Override(result, pod.Spec.Resources?.Requests);
        Quantities.Add(result, Quantities.ToAmounts(pod.Spec.Overhead));
        return result;
    }

    /// <summary>Effective limits (units: cores, bytes). A container without a limit counts as nothing: see <see cref="AllDeclareLimit"/>.</summary>
    public static IReadOnlyDictionary<string, decimal> Limits(V1Pod pod)
    {
        var result = Aggregate(pod.Spec, r => r?.Limits);
        Override(result, pod.Spec.Resources?.Limits);
        foreach (var (name, overhead) in Quantities.ToAmounts(pod.Spec.Overhead))
        {
            // Overhead widens a limit; it never makes one where there was none.
            if (result.TryGetValue(name, out var limit) && limit != 0)
            {
                result[name] = limit + overhead;
            }
        }

        return result;
    }

    /// <summary>True where the pod as a whole is limited: every container has the limit, or spec.resources has it.</summary>
    public static bool AllDeclareLimit(V1PodSpec spec, string resource) =>
        spec.Resources?.Limits.Get(resource) > 0
        || (spec.Containers ?? []).Concat(spec.InitContainers ?? []).All(c => c.Resources?.Limits.Get(resource) > 0);

    /// <summary>True where spec.resources sets a resource that it may set.</summary>
    public static bool HasPodLevel(V1PodSpec spec) =>
        (spec.Resources?.Requests?.Keys ?? []).Concat(spec.Resources?.Limits?.Keys ?? []).Any(ResourceNames.IsPodLevel);

    /// <summary>True for an init container that keeps running beside the others.</summary>
    public static bool IsSidecar(V1Container initContainer) => initContainer.RestartPolicy == "Always";

    private static Dictionary<string, decimal> Aggregate(V1PodSpec spec, Func<V1ResourceRequirements?, IDictionary<string, ResourceQuantity>?> list)
    {
        var running = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in spec.Containers ?? [])
        {
            Quantities.Add(running, Quantities.ToAmounts(list(container.Resources)));
        }

        var sidecars = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var initPeak = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in spec.InitContainers ?? [])
        {
            var own = Quantities.ToAmounts(list(container.Resources));
            if (IsSidecar(container))
            {
                Quantities.Add(running, own);
                Quantities.Add(sidecars, own);
                Quantities.Max(initPeak, sidecars);
            }
            else
            {
                Quantities.Add(own, sidecars);
                Quantities.Max(initPeak, own);
            }
        }

        Quantities.Max(running, initPeak);
        return running;
    }

    private static void Override(Dictionary<string, decimal> result, IDictionary<string, ResourceQuantity>? podLevel)
    {
        foreach (var (name, amount) in Quantities.ToAmounts(podLevel))
        {
            if (ResourceNames.IsPodLevel(name))
            {
                result[name] = amount;
            }
        }
    }
}
