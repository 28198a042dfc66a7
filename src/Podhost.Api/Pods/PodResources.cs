using k8s.Models;

namespace Podhost.Api.Pods;

/// <summary>What a whole pod asks for: the larger of the sum of its containers and its init containers in their order, sidecars counted
/// from where they start, pod-level resources in place of the sums, then the overhead of its runtime class.</summary>
public static class PodResources
{
    /// <summary>Effective requests (units: cores, bytes).</summary>
    public static IReadOnlyDictionary<string, decimal> Requests(V1Pod pod)
    {
        var result = Aggregate(pod.Spec, c => Quantities.ToAmounts(c.Resources?.Requests));
        Override(result, Quantities.ToAmounts(pod.Spec.Resources?.Requests));
        Quantities.Add(result, Quantities.ToAmounts(pod.Spec.Overhead));
        return result;
    }

    /// <summary>
    /// What a pod takes on its node while a resize is under way (units: cores, bytes): for each container the largest of what it asks for, what
    /// the kubelet allocated and what is in force; where the kubelet called the resize infeasible, what it asks for does not count.
    /// Source: upstream's component-helpers/resource, PodRequests with UseStatusResources.
    /// </summary>
    public static IReadOnlyDictionary<string, decimal> RequestsInForce(V1Pod pod)
    {
        var infeasible = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "PodResizePending")?.Reason == "Infeasible";
        var result = Aggregate(pod.Spec, c => StatusOf(pod, c) is { Resources: { } actual } status
            ? Largest(infeasible ? null : c.Resources?.Requests, actual.Requests, status.AllocatedResources)
            : Quantities.ToAmounts(c.Resources?.Requests));
        if (pod.Spec.Resources?.Requests is { } own)
        {
            Override(result, pod.Status?.Resources is { } actual ? Largest(infeasible ? null : own, actual.Requests, pod.Status.AllocatedResources) : Quantities.ToAmounts(own));
        }

        Quantities.Add(result, Quantities.ToAmounts(pod.Spec.Overhead));
        return result;
    }

    /// <summary>What the containers ask for together, exact and in their notation.</summary>
    public static IDictionary<string, ResourceQuantity> RequestsOfContainers(V1PodSpec spec) =>
        ContainerSums.Requests(spec).ToDictionary(e => e.Key, e => new ResourceQuantity(e.Value.ToString()), StringComparer.Ordinal);

    /// <summary>Effective limits (units: cores, bytes). A container without a limit counts as nothing: see <see cref="AllDeclareLimit"/>.</summary>
    public static IReadOnlyDictionary<string, decimal> Limits(V1Pod pod)
    {
        var result = Aggregate(pod.Spec, c => Quantities.ToAmounts(c.Resources?.Limits));
        Override(result, Quantities.ToAmounts(pod.Spec.Resources?.Limits));
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

    private static Dictionary<string, decimal> Aggregate(V1PodSpec spec, Func<V1Container, Dictionary<string, decimal>> amounts)
    {
        var running = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in spec.Containers ?? [])
        {
            Quantities.Add(running, amounts(container));
        }

        var sidecars = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var initPeak = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in spec.InitContainers ?? [])
        {
            var own = amounts(container);
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

    // An init container that ends keeps nothing: only one that goes on running is resized.
    private static V1ContainerStatus? StatusOf(V1Pod pod, V1Container container) => pod.Status is null ? null
        : pod.Status.ContainerStatuses?.FirstOrDefault(s => s.Name == container.Name)
            ?? (IsSidecar(container) ? pod.Status.InitContainerStatuses?.FirstOrDefault(s => s.Name == container.Name) : null);

    private static Dictionary<string, decimal> Largest(params ReadOnlySpan<IDictionary<string, ResourceQuantity>?> lists)
    {
        var result = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var list in lists)
        {
            Quantities.Max(result, Quantities.ToAmounts(list));
        }

        return result;
    }

    private static void Override(Dictionary<string, decimal> result, Dictionary<string, decimal> podLevel)
    {
        foreach (var (name, amount) in podLevel)
        {
            if (ResourceNames.IsPodLevel(name))
            {
                result[name] = amount;
            }
        }
    }
}
