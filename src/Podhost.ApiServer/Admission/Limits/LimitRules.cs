using System.Globalization;
using k8s.Models;
using Podhost.Api.Pods;
using Podhost.Api.Quantities;
using Podhost.Api.Quota;

namespace Podhost.ApiServer.Admission.Limits;

/// <summary>What a LimitRange allows; pure. Source: upstream's LimitRanger plugin.</summary>
internal static class LimitRules
{
    /// <summary>What a pod does against a range, in upstream's words.</summary>
    public static IEnumerable<string> Faults(V1LimitRange range, V1Pod pod) => (range.Spec?.Limits ?? []).SelectMany(item => item.Type switch
    {
        "Container" => (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? [])
            .SelectMany(c => Faults(item, QuotaAmounts.Of(c.Resources?.Requests), QuotaAmounts.Of(c.Resources?.Limits))),
        "Pod" => Faults(item, OfPod(pod, "requests."), OfPod(pod, "limits.")),
        _ => [],
    });

    /// <summary>What a claim does against a range.</summary>
    public static IEnumerable<string> Faults(V1LimitRange range, V1PersistentVolumeClaim claim)
    {
        var requests = QuotaAmounts.Of(claim.Spec.Resources?.Requests);
        foreach (var item in (range.Spec?.Limits ?? []).Where(i => i.Type == "PersistentVolumeClaim"))
        {
            foreach (var (name, min) in Sorted(item.Min))
            {
                if (Below(name, item.Type, min, requests, []) is { } fault)
                {
                    yield return fault;
                }
            }

            foreach (var (name, max) in Sorted(item.Max))
            {
                if (!requests.TryGetValue(name, out var asked))
                {
                    yield return $"maximum {name} usage per {item.Type} is {max}.  No request is specified";
                }
                else if (asked > max)
                {
                    yield return $"maximum {name} usage per {item.Type} is {max}, but request is {asked}";
                }
            }
        }
    }

    private static IEnumerable<string> Faults(V1LimitRangeItem item, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits) =>
    [
        .. Sorted(item.Min).Select(m => Below(m.Key, item.Type, m.Value, requests, limits)).OfType<string>(),
        .. Sorted(item.Max).Select(m => Above(m.Key, item.Type, m.Value, requests, limits)).OfType<string>(),
        .. Sorted(item.MaxLimitRequestRatio).Select(m => Ratio(m.Key, item.Type, m.Value, requests, limits)).OfType<string>(),
    ];

    private static string? Below(string name, string type, Quantity min, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits)
    {
        var text = $"minimum {name} usage per {type} is {min}";
        return !requests.TryGetValue(name, out var request) ? text + ".  No request is specified"
            : request < min ? $"{text}, but request is {request}"
            : limits.TryGetValue(name, out var limit) && limit < min ? $"{text}, but limit is {limit}"
            : null;
    }

    private static string? Above(string name, string type, Quantity max, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits)
    {
        var text = $"maximum {name} usage per {type} is {max}";
        return !limits.TryGetValue(name, out var limit) ? text + ".  No limit is specified"
            : limit > max ? $"{text}, but limit is {limit}"
            : requests.TryGetValue(name, out var request) && request > max ? $"{text}, but request is {request}"
            : null;
    }

    private static string? Ratio(string name, string type, Quantity max, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits)
    {
        var text = $"{name} max limit to request ratio per {type} is {max}";
        if (!requests.TryGetValue(name, out var request) || request.IsZero)
        {
            return text + ", but no request is specified or request is 0";
        }

        if (!limits.TryGetValue(name, out var limit) || limit.IsZero)
        {
            return text + ", but no limit is specified or limit is 0";
        }

        // As upstream: in thousandths where they fit, so that ratios such as 1.5 can be asked for.
        var ratio = (double)limit.MilliValue / request.MilliValue;
        return ratio * 1000 > max.MilliValue ? string.Create(CultureInfo.InvariantCulture, $"{text}, but provided ratio is {ratio:F6}") : null;
    }

    // The usage of a quota is what a pod asks for as a whole, in the notation that it used.
    private static Dictionary<string, Quantity> OfPod(V1Pod pod, string prefix) =>
        PodQuota.Usage(new V1Pod { Metadata = new V1ObjectMeta(), Spec = pod.Spec }, DateTime.UnixEpoch)
            .Where(u => u.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(u => u.Key[prefix.Length..], u => u.Value);

    private static IEnumerable<KeyValuePair<string, Quantity>> Sorted(IDictionary<string, ResourceQuantity>? list) =>
        QuotaAmounts.Of(list).OrderBy(p => p.Key, StringComparer.Ordinal);
}
