using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>What the node has and what of it pods may use; units as in status.capacity and status.allocatable.</summary>
/// <param name="Capacity">The machine.</param>
/// <param name="Allocatable">Capacity less what is reserved for the system, Kubernetes and eviction.</param>
public sealed record NodeResources(IReadOnlyDictionary<string, ResourceQuantity> Capacity, IReadOnlyDictionary<string, ResourceQuantity> Allocatable)
{
    internal long MemoryCapacity => Quantities.Value(Of(Capacity, ResourceNames.Memory));

    internal decimal AllocatableOf(string resource) => Of(Allocatable, resource);

    private static decimal Of(IReadOnlyDictionary<string, ResourceQuantity> list, string name) =>
        list.TryGetValue(name, out var quantity) ? quantity.ToDecimal() : 0;
}
