using Podhost.Api.Pods;
using Podhost.Api.Quantities;

namespace Podhost.Api.Validation.Pods;

/// <summary>Requests and limits: names, amounts, and requests within limits.</summary>
internal static class ResourceRules
{
    private static readonly Quantity Zero = default;

    private static readonly HashSet<string> Standard = new(StringComparer.Ordinal)
    {
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
        "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
        "storage", "requests.storage", "services.nodeports", "services.loadbalancers",
    };

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

    /// <summary>Names of any resource: Kubernetes' own, or with a domain.</summary>
    public static IEnumerable<string> Name(string name) =>
        Names.Qualified(name).ToList() is { Count: > 0 } faults ? faults
        : name.Contains('/', StringComparison.Ordinal) || IsStandard(name) ? []
        : ["must be a standard resource type or fully qualified"];

    /// <summary>Names that a container may ask for.</summary>
    public static IEnumerable<string> ContainerName(string name)
    {
        var faults = Name(name).ToList();
        if (!name.Contains('/', StringComparison.Ordinal))
        {
            return name is ResourceNames.Cpu or ResourceNames.Memory or ResourceNames.EphemeralStorage || ResourceNames.IsHugePages(name)
                ? faults : [.. faults, "must be a standard resource for containers"];
        }

        return ResourceNames.IsNative(name) || IsExtended(name) ? faults : [.. faults, "doesn't follow extended resource name standard"];
    }

    /// <summary>Names that a pod as a whole may ask for.</summary>
    public static IEnumerable<string> PodName(string name) =>
        Name(name).ToList() is { Count: > 0 } faults ? faults
        : ResourceNames.IsPodLevel(name) ? [] : ["must be a supported resource for pods"];

    /// <summary>Names that a quota may hold.</summary>
    public static IEnumerable<string> QuotaName(string name) =>
        name.Contains('/', StringComparison.Ordinal) || (IsStandard(name) && name != "storage") ? Name(name) : [.. Name(name), "must be a standard resource for quota"];

    /// <summary>True for the resources that Kubernetes itself knows by a name without a domain.</summary>
    public static bool IsStandard(string name) =>
        Standard.Contains(name) || ResourceNames.IsHugePages(name) || name.StartsWith("requests." + ResourceNames.HugePagesPrefix, StringComparison.Ordinal);

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
        var overcommit = ResourceNames.MayOvercommit(name);
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

    // A domain of its own, no "requests." before it, and still a qualified name with "requests." in front (quotas need that).
    private static bool IsExtended(string name) =>
        !ResourceNames.IsNative(name)
        && !name.StartsWith("requests.", StringComparison.Ordinal) && !Names.Qualified("requests." + name).Any();
}
