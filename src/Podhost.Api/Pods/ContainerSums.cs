using k8s.Models;
using Podhost.Api.Quantities;
using Podhost.Api.Validation;

namespace Podhost.Api.Pods;

/// <summary>What the containers of a pod ask for together: all that run at once, or an init container beside the sidecars before it where that is more. Exact, in the notation of the first part.</summary>
internal static class ContainerSums
{
    /// <summary>Of a spec: <paramref name="list"/> is <c>requests</c> or <c>limits</c>.</summary>
    public static Dictionary<string, Quantity> Of(Field spec, string list)
    {
        IEnumerable<KeyValuePair<string, Quantity>> Amounts(Field container) =>
            container["resources"][list].Entries.Select(e => KeyValuePair.Create(e.Key, e.Value.Amount));
        return Of(spec["containers"].Items.Select(Amounts), spec["initContainers"].Items.Select(c => (c["restartPolicy"].Text == "Always", Amounts(c))));
    }

    /// <summary>The requests of a pod.</summary>
    public static Dictionary<string, Quantity> Requests(V1PodSpec spec)
    {
        static IEnumerable<KeyValuePair<string, Quantity>> Amounts(V1Container container) =>
            (container.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>()).Select(e => KeyValuePair.Create(e.Key, Quantity.Parse(e.Value.ToString())));
        return Of((spec.Containers ?? []).Select(Amounts), (spec.InitContainers ?? []).Select(c => (PodResources.IsSidecar(c), Amounts(c))));
    }

    private static Dictionary<string, Quantity> Of(
        IEnumerable<IEnumerable<KeyValuePair<string, Quantity>>> containers, IEnumerable<(bool Sidecar, IEnumerable<KeyValuePair<string, Quantity>> Amounts)> inits)
    {
        var running = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var amounts in containers)
        {
            Add(running, amounts);
        }

        var sidecars = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        var peak = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var (sidecar, amounts) in inits)
        {
            if (sidecar)
            {
                Add(running, amounts);
                Add(sidecars, amounts);
                Raise(peak, sidecars);
            }
            else
            {
                var own = new Dictionary<string, Quantity>(sidecars, StringComparer.Ordinal);
                Add(own, amounts);
                Raise(peak, own);
            }
        }

        Raise(running, peak);
        return running;
    }

    private static void Add(Dictionary<string, Quantity> to, IEnumerable<KeyValuePair<string, Quantity>> from)
    {
        foreach (var (name, amount) in from)
        {
            to[name] = to.TryGetValue(name, out var had) ? had + amount : amount;
        }
    }

    private static void Raise(Dictionary<string, Quantity> to, Dictionary<string, Quantity> from)
    {
        foreach (var (name, amount) in from)
        {
            to[name] = to.TryGetValue(name, out var had) && had > amount ? had : amount;
        }
    }
}
