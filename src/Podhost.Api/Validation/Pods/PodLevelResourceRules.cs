using Podhost.Api.Pods;

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
        foreach (var (name, sum) in ContainerSums.Of(spec, "requests").OrderBy(s => s.Key, StringComparer.Ordinal))
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
}
