using System.Globalization;
using Podhost.Api.Pods;
using Podhost.Api.Quantities;
using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Policy;

/// <summary>LimitRanges. Source: upstream's ValidateLimitRange; of several faults of an item those of the same resource stand together.</summary>
internal static class LimitRangeRules
{
    private const string PodType = "Pod";
    private const string ContainerType = "Container";
    private const string ClaimType = "PersistentVolumeClaim";

    // Greater amounts are compared by whole units: their thousandths are beyond an Int64.
    private const long MaxMilliValue = long.MaxValue / 1000;

    public static void Check(Field range)
    {
        ObjectMetaRules.CheckCreate(range["metadata"], namespaced: true, Names.DnsSubdomain);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in range["spec"]["limits"].Items)
        {
            CheckType(item["type"], seen);
            CheckNames(item);
            foreach (var name in Resources(item))
            {
                CheckOrder(item, name);
                CheckRatio(item, name);
                CheckNotOvercommitted(item, name);
            }
        }
    }

    private static void CheckType(Field type, HashSet<string> seen)
    {
        var faults = Names.Qualified(type.Text).ToList();
        if (faults.Count == 0 && !type.Text.Contains('/', StringComparison.Ordinal) && type.Text is not (PodType or ContainerType or ClaimType))
        {
            faults.Add("must be a standard limit type or fully qualified");
        }

        faults.ForEach(fault => type.InvalidText(type.Text, fault));
        if (!seen.Add(type.Text))
        {
            type.Duplicate();
        }
    }

    private static void CheckNames(Field item)
    {
        var type = item["type"].Text;
        foreach (var field in (string[])["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"])
        {
            if (field == "maxLimitRequestRatio" && type == ClaimType && !item["min"].Key("storage").IsSet && !item["max"].Key("storage").IsSet)
            {
                item["limits"].Required("either minimum or maximum storage value is required, but neither was provided");
            }

            if (type == PodType && field is ("default" or "defaultRequest"))
            {
                if (item[field].Count > 0)
                {
                    item[field].Forbidden("may not be specified when `type` is 'Pod'");
                }

                continue;
            }

            foreach (var (name, amount) in item[field].Entries)
            {
                amount.Check(name, type is PodType or ContainerType ? ResourceRules.ContainerName : ResourceRules.Name);
            }
        }
    }

    private static IEnumerable<string> Resources(Field item) =>
        ((string[])["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"])
            .Where(field => item["type"].Text != PodType || field is not ("default" or "defaultRequest"))
            .SelectMany(field => item[field].Entries.Select(e => e.Key)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private static void CheckOrder(Field item, string name)
    {
        NotAbove(item, name, ("min", "min value"), ("max", "max value"), "min");
        if (item["type"].Text == PodType)
        {
            return;
        }

        NotAbove(item, name, ("min", "min value"), ("defaultRequest", "default request value"), "defaultRequest");
        NotAbove(item, name, ("defaultRequest", "default request value"), ("max", "max value"), "defaultRequest");
        NotAbove(item, name, ("defaultRequest", "default request value"), ("default", "default limit value"), "defaultRequest");
        NotAbove(item, name, ("min", "min value"), ("default", "default value"), "default", shown: "min");
        NotAbove(item, name, ("default", "default value"), ("max", "max value"), "default", shown: "max");
    }

    // The amount that the message shows is at times another than that of the field that it names: upstream's.
    private static void NotAbove(Field item, string name, (string Field, string Words) low, (string Field, string Words) high, string at, string? shown = null)
    {
        var (least, most) = (item[low.Field].Key(name), item[high.Field].Key(name));
        if (least.IsSet && most.IsSet && least.Amount > most.Amount)
        {
            item[at].Key(name).InvalidText(item[shown ?? at].Key(name).Amount.ToString(), $"{low.Words} {least.Amount} is greater than {high.Words} {most.Amount}");
        }
    }

    private static void CheckRatio(Field item, string name)
    {
        var (ratio, min, max) = (item["maxLimitRequestRatio"].Key(name), item["min"].Key(name), item["max"].Key(name));
        if (!ratio.IsSet)
        {
            return;
        }

        var text = ratio.Amount.ToString();
        if (ratio.Amount < Quantity.FromValue(1))
        {
            ratio.InvalidText(text, $"ratio {text} is less than 1");
        }

        if (!min.IsSet || !max.IsSet)
        {
            return;
        }

        var inThousandths = ratio.Amount.Value < MaxMilliValue && min.Amount.Value < MaxMilliValue && max.Amount.Value < MaxMilliValue;
        var asked = inThousandths ? ratio.Amount.MilliValue / 1000.0 : ratio.Amount.Value;
        var most = inThousandths ? (double)max.Amount.MilliValue / min.Amount.MilliValue : (double)max.Amount.Value / min.Amount.Value;
        if (asked > most)
        {
            ratio.InvalidText(text, string.Create(CultureInfo.InvariantCulture, $"ratio {text} is greater than max/min = {most:F6}"));
        }
    }

    private static void CheckNotOvercommitted(Field item, string name)
    {
        var (limit, request) = (item["default"].Key(name), item["defaultRequest"].Key(name));
        if (item["type"].Text != PodType && !ResourceNames.MayOvercommit(name) && limit.IsSet && request.IsSet && limit.Amount != request.Amount)
        {
            request.InvalidText(request.Amount.ToString(), $"default value {limit.Amount} must equal to defaultRequest value {request.Amount} in {name}");
        }
    }
}
