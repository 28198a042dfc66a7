using k8s.Models;
using Podhost.Api.Quantities;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>What is said of an eviction. Pure. Source: upstream's evictionMessage; the space at the end is upstream's.</summary>
/// <param name="Text">status.message, the condition's and the event's.</param>
/// <param name="Annotations">Annotations of the event.</param>
internal sealed record EvictionMessage(string Text, IReadOnlyDictionary<string, string> Annotations)
{
    /// <summary>The message for one pod.</summary>
    public static EvictionMessage Of(EvictionThreshold threshold, EvictionObservation seen, PodShare pod)
    {
        var resource = EvictionSignals.ResourceOf(threshold.Signal);
        var text = $"The node was low on resource: {resource}. Threshold quantity: {threshold.Value.Of(seen.Capacity)}, available: {seen.Available}. ";
        var names = new List<string>();
        var amounts = new List<string>();
        foreach (var container in (pod.Pod.Spec.Containers ?? []).Concat(pod.Pod.Spec.InitContainers ?? []))
        {
            var request = Request(container, resource);
            if (Used(pod, container.Name, threshold.Signal) is { } used && used > request.Value)
            {
                var amount = Quantity.FromValue(used, QuantityFormat.BinarySI).ToString();
                text += $"Container {container.Name} was using {amount}, request is {request}, has larger consumption of {resource}. ";
                names.Add(container.Name);
                amounts.Add(amount);
            }
        }

        return new EvictionMessage(text, new Dictionary<string, string>
        {
            ["offending_containers"] = string.Join(',', names),
            ["offending_containers_usage"] = string.Join(',', amounts),
            ["starved_resource"] = resource,
        });
    }

    /// <summary>Why a node does not take a pod.</summary>
    public static string NodeHad(IEnumerable<string> conditions) => $"The node had condition: [{string.Join(' ', conditions)}]. ";

    private static long? Used(PodShare pod, string container, EvictionSignal signal) =>
        EvictionSignals.IsMemory(signal) ? pod.Memory?.TryGetValue(container, out var memory) == true ? memory : null
        : EvictionSignals.IsDisk(signal) && !EvictionSignals.IsInodes(signal) && pod.Storage?.Containers.TryGetValue(container, out var disk) == true ? disk.Total
        : null;

    private static Quantity Request(V1Container container, string resource) =>
        container.Resources?.Requests is { } requests && requests.TryGetValue(resource, out var request) && Quantity.TryParse(request.ToString(), out var quantity)
            ? quantity : Quantity.Zero;
}
