using Podhost.Api.Pods;
using Podhost.Api.Quantities;

namespace Podhost.Api.Validation.Pods;

/// <summary>Requests and limits: names, amounts, and requests within limits.</summary>
internal static class ResourceRules
{
    private static readonly Quantity Zero = default;

    public static void Check(Field resources, Func<string, IEnumerable<string>> nameRule)
    {
        var (limits, requests) = (resources["limits"], resources["requests"]);
        foreach (var (name, amount) in limits.Entries)
        {
            CheckEntry(name, amount, nameRule);
        }

        foreach (var (name, amount) in requests.Entries)
        {
            CheckEntry(name, amount, nameRule);
            CheckAgainstLimit(name, amount, requests, limits);
        }

        var names = limits.Entries.Concat(requests.Entries).Select(e => e.Key).ToList();
        if (names.Any(ResourceNames.IsHugePages) && !names.Exists(n => n is ResourceNames.Cpu or ResourceNames.Memory))
        {
            resources.Forbidden("HugePages require cpu or memory");
        }
    }

    /// <summary>Names that a container may ask for.</summary>
    public static IEnumerable<string> ContainerName(string name)
    {
        if (Names.Qualified(name).ToList() is { Count: > 0 } faults)
        {
            return faults;
        }

        if (!name.Contains('/', StringComparison.Ordinal))
        {
            return name is ResourceNames.Cpu or ResourceNames.Memory or ResourceNames.EphemeralStorage || ResourceNames.IsHugePages(name)
                ? [] : ["must be a standard resource for containers"];
        }

        return IsNative(name) || IsExtended(name) ? [] : ["doesn't follow extended resource name standard"];
    }

    /// <summary>Names that a pod as a whole may ask for.</summary>
    public static IEnumerable<string> PodName(string name) =>
        Names.Qualified(name).ToList() is { Count: > 0 } faults ? faults
        : ResourceNames.IsPodLevel(name) ? [] : ["must be a supported resource for pods"];

    /// <summary>An amount of a resource: not negative, whole where it counts devices.</summary>
    public static void CheckAmount(string name, Field amount)
    {
        if (amount.Amount < Zero)
        {
            amount.InvalidText(amount.Amount.ToString(), "must be greater than or equal to 0");
        }

        if (IsExtended(name) && Quantity.FromValue(amount.Amount.DivideRoundingUp(Quantity.FromValue(1))) != amount.Amount)
        {
            amount.InvalidText(amount.Amount.ToString(), "must be an integer");
        }
    }

    private static void CheckEntry(string name, Field amount, Func<string, IEnumerable<string>> nameRule)
    {
        foreach (var fault in nameRule(name))
        {
            amount.InvalidText(name, fault);
        }

        CheckAmount(name, amount);
        if (ResourceNames.IsHugePages(name) && !IsMultipleOfPage(name, amount.Amount))
        {
            amount.InvalidText(amount.Amount.ToString(), $"{amount.Amount} is not positive integer multiple of {name}");
        }
    }

    private static void CheckAgainstLimit(string name, Field amount, Field requests, Field limits)
    {
        var limit = limits.Key(name);
        var overcommit = (!name.Contains('/', StringComparison.Ordinal) || IsNative(name)) && !ResourceNames.IsHugePages(name);
        if (!limit.IsSet)
        {
            if (!overcommit)
            {
                limits.Required("Limit must be set for non overcommitable resources");
            }
        }
        else if (!overcommit && amount.Amount != limit.Amount)
        {
            requests.InvalidText(amount.Amount.ToString(), $"must be equal to {name} limit of {limit.Amount}");
        }
        else if (amount.Amount > limit.Amount)
        {
            requests.InvalidText(amount.Amount.ToString(), $"must be less than or equal to {name} limit of {limit.Amount}");
        }
    }

    private static bool IsMultipleOfPage(string name, Quantity amount)
    {
        if (!Quantity.TryParse(name[ResourceNames.HugePagesPrefix.Length..], out var page) || page <= Zero || amount < Zero)
        {
            return false;
        }

        var pages = amount.DivideRoundingUp(page);
        return pages >= 0 && Quantity.FromValue(page.DivideRoundingUp(Quantity.FromValue(1)) * pages) == amount;
    }

    private static bool IsNative(string name) => name.Split('/')[0].EndsWith("kubernetes.io", StringComparison.Ordinal);

    // A domain of its own, no "requests." before it, and still a qualified name with "requests." in front (quotas need that).
    private static bool IsExtended(string name) =>
        name.Contains('/', StringComparison.Ordinal) && !IsNative(name)
        && !name.StartsWith("requests.", StringComparison.Ordinal) && !Names.Qualified("requests." + name).Any();
}
