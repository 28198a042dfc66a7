using System.Globalization;
using k8s.Models;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary>Values of resourceFieldRef: the amount divided by the divisor, rounded up. An unset limit reads as what the node can give.</summary>
internal static class ResourceFields
{
    /// <summary>The value of a reference.</summary>
    /// <param name="reference">Resource, divisor and container.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="self">The container whose variable it is; null in a volume, where containerName is required.</param>
    /// <param name="node">For unset limits.</param>
    /// <exception cref="FieldPathException">No such container, or no such resource.</exception>
    public static string Read(V1ResourceFieldSelector reference, V1Pod pod, V1Container? self, NodeResources node)
    {
        var container = Find(reference.ContainerName, pod, self);
        var (list, resource) = Split(reference.Resource);
        var amount = list == "limits" ? LimitOrAllocatable(pod.Spec, container, resource, node) : container.Resources?.Requests.Get(resource) ?? 0;
        return Divide(resource, amount, reference.Divisor?.ToDecimal() ?? 0).ToString(CultureInfo.InvariantCulture);
    }

    private static V1Container Find(string? name, V1Pod pod, V1Container? self)
    {
        if (string.IsNullOrEmpty(name) && self is not null)
        {
            return self;
        }

        return (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).FirstOrDefault(c => c.Name == name)
            ?? throw new FieldPathException($"container {name} not found");
    }

    private static (string List, string Resource) Split(string path)
    {
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        var (list, resource) = dot < 0 ? ("", "") : (path[..dot], path[(dot + 1)..]);
        var known = resource is ResourceNames.Cpu or ResourceNames.Memory or ResourceNames.EphemeralStorage || ResourceNames.IsHugePages(resource);
        return list is "limits" or "requests" && known
            ? (list, resource)
            : throw new FieldPathException($"Unsupported container resource : {path}");
    }

    private static decimal LimitOrAllocatable(V1PodSpec spec, V1Container container, string resource, NodeResources node)
    {
        var limit = ContainerCgroupValues.Limit(spec, container, resource);
        return limit != 0 || ResourceNames.IsHugePages(resource) ? limit : node.AllocatableOf(resource);
    }

    private static long Divide(string resource, decimal amount, decimal divisor)
    {
        // A divisor of 0 or none is 1: whole cores, bytes.
        var by = divisor == 0 ? 1 : divisor;
        return resource == ResourceNames.Cpu
            ? Ceiling(Quantities.MilliValue(amount), Quantities.MilliValue(by))
            : Ceiling(Quantities.Value(amount), Quantities.Value(by));
    }

    private static long Ceiling(long amount, long by) => (long)decimal.Ceiling((decimal)amount / by);
}
