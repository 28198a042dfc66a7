using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>What the node has and what of it pods may use; units as in status.capacity and status.allocatable.</summary>
/// <param name="Capacity">The machine.</param>
/// <param name="Allocatable">Capacity less what is reserved for the system, Kubernetes and eviction.</param>
public sealed record NodeResources(IReadOnlyDictionary<string, ResourceQuantity> Capacity, IReadOnlyDictionary<string, ResourceQuantity> Allocatable)
{
    /// <summary>Memory that all pods together may use, in bytes: capacity less what is reserved, the eviction threshold included. Null: allocatable.</summary>
    public long? EnforcedMemoryBytes { get; init; }

    internal long MemoryCapacity => Quantities.Value(Of(Capacity, ResourceNames.Memory));

    internal decimal AllocatableOf(string resource) => Of(Allocatable, resource);

    private static decimal Of(IReadOnlyDictionary<string, ResourceQuantity> list, string name) =>
        list.TryGetValue(name, out var quantity) ? quantity.ToDecimal() : 0;
}
