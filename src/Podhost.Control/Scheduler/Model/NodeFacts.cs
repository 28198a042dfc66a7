using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>What a node's object says, computed once for each version of it. Immutable.</summary>
internal sealed class NodeFacts
{
    public NodeFacts(V1Node node)
    {
        Node = node;
        Allocatable = Quantities.ToAmounts(node.Status?.Allocatable ?? node.Status?.Capacity);
        Most = CpuAndMemory.Of(Allocatable);
        MostPods = Allocatable.TryGetValue("pods", out var pods) ? Quantities.Value(pods) : long.MaxValue;
        IsUnschedulable = node.Spec?.Unschedulable == true;
        Taints = [.. node.Spec?.Taints ?? []];
        var images = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var image in node.Status?.Images ?? [])
        {
            foreach (var name in image.Names ?? [])
            {
                images[name] = image.SizeBytes ?? 0;
            }
        }

        Images = images;
    }

    public V1Node Node { get; }

    public string Name => Node.Metadata.Name;

    /// <summary>What pods may use (units: cores, bytes, pieces).</summary>
    public IReadOnlyDictionary<string, decimal> Allocatable { get; }

    /// <summary>The cpu and memory that pods may use.</summary>
    public CpuAndMemory Most { get; }

    /// <summary>How many pods may be there.</summary>
    public long MostPods { get; }

    /// <summary>True where it is cordoned.</summary>
    public bool IsUnschedulable { get; }

    public V1Taint[] Taints { get; }

    /// <summary>Bytes of the images on the node, by each of their names.</summary>
    public IReadOnlyDictionary<string, long> Images { get; }
}
