using Podhost.Api.Pods;
using Podhost.Api.Quantities;

namespace Podhost.Api.Validation.Pods;

/// <summary>spec.resources: at least what the containers ask for together, at most what each may use.</summary>
internal static class PodLevelResourceRules
{
    public static void Check(Field spec)
    {
        var resources = spec["resources"];
        if (!resources.IsSet)
        {
            return;
        }

        if (resources["claims"].IsSet)
        {
            resources["claims"].Forbidden("claims cannot be set for Resources at pod-level");
        }

        ResourceRules.Check(resources, ResourceRules.PodName);
        CheckRequests(spec, resources["requests"]);
        CheckLimits(spec, resources["limits"]);
    }

    private static void CheckRequests(Field spec, Field requests)
    {
        foreach (var (name, sum) in Sums(spec).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var own = requests.Key(name);
            if (sum > own.Amount && ResourceNames.IsPodLevel(name))
            {
                own.InvalidText(own.Amount.ToString(), $"must be greater than or equal to aggregate container requests of {sum}");
            }
        }
    }

    private static void CheckLimits(Field spec, Field limits)
    {
        for (var i = 0; i < spec["containers"].Count; i++)
        {
            foreach (var (name, limit) in spec["containers"].At(i)["resources"]["limits"].Entries)
            {
                if (limits.Key(name) is { IsSet: true } own && limit.Amount > own.Amount)
                {
                    spec["resources"].Child($"containers[{i}][{name}].limits", limit.Node)
                        .InvalidText(limit.Amount.ToString(), $"must be less than or equal to pod limits of {own.Amount}");
                }
            }
        }
    }

    // Containers together; an init container beside the sidecars before it, where that is more.
    private static Dictionary<string, Quantity> Sums(Field spec)
    {
        var running = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var container in spec["containers"].Items)
        {
            Add(running, Requests(container));
        }

        var sidecars = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        var peak = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var container in spec["initContainers"].Items)
        {
            if (container["restartPolicy"].Text == "Always")
            {
                Add(running, Requests(container));
                Add(sidecars, Requests(container));
                Raise(peak, sidecars);
            }
            else
            {
                var own = new Dictionary<string, Quantity>(sidecars, StringComparer.Ordinal);
                Add(own, Requests(container));
                Raise(peak, own);
            }
        }

        Raise(running, peak);
        return running;
    }

    private static IEnumerable<KeyValuePair<string, Quantity>> Requests(Field container) =>
        container["resources"]["requests"].Entries.Select(e => KeyValuePair.Create(e.Key, e.Value.Amount));

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
