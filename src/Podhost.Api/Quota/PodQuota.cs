using k8s.Models;
using Podhost.Api.Pods;
using Podhost.Api.Quantities;

namespace Podhost.Api.Quota;

/// <summary>What a pod uses of a quota.</summary>
/// <remarks>Source: upstream's pkg/quota/v1/evaluator/core/pods.go.</remarks>
public static class PodQuota
{
    private static readonly string[] Mandatory = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

    /// <summary>True for a pod that still holds resources: it has not ended, and its grace is not over.</summary>
    public static bool IsLive(V1Pod pod, DateTime now) =>
        pod.Status?.Phase is not ("Succeeded" or "Failed")
        && !(pod.Metadata.DeletionTimestamp is { } deletion && pod.Metadata.DeletionGracePeriodSeconds is { } grace && now > deletion.AddSeconds(grace));

    /// <summary>The amounts that a pod counts for: every pod as an object, a live one with what it asks for.</summary>
    public static Dictionary<string, Quantity> Usage(V1Pod pod, DateTime now)
    {
        var usage = new Dictionary<string, Quantity>(StringComparer.Ordinal) { ["count/pods"] = Quantity.FromValue(1) };
        if (!IsLive(pod, now))
        {
            return usage;
        }

        usage["pods"] = Quantity.FromValue(1);
        foreach (var (name, amount) in PodResources.Requests(pod))
        {
            var quantity = Exact(amount, FormatOf(pod, name, r => r?.Requests));
            usage["requests." + name] = quantity;
            if (IsNative(name) || ResourceNames.IsHugePages(name))
            {
                usage[name] = quantity;
            }
        }

        foreach (var (name, amount) in PodResources.Limits(pod).Where(l => IsNative(l.Key)))
        {
            usage["limits." + name] = Exact(amount, FormatOf(pod, name, r => r?.Limits));
        }

        return usage;
    }

    /// <summary><c>must specify limits.cpu for: a,b; requests.cpu for: c</c>: what a quota needs to know of every container; null where nothing is missing.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="hard">The names that the quota limits.</param>
    public static string? Missing(V1Pod pod, IEnumerable<string> hard)
    {
        var required = hard.Where(h => Mandatory.Contains(h, StringComparer.Ordinal)).ToList();
        var missing = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var container in (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []))
        {
            foreach (var name in required.Where(r => !Declares(container.Resources, r) && !Declares(pod.Spec.Resources, r)))
            {
                (missing.TryGetValue(name, out var names) ? names : missing[name] = new SortedSet<string>(StringComparer.Ordinal)).Add(container.Name);
            }
        }

        return missing.Count == 0 ? null : "must specify " + string.Join("; ", missing.Select(m => $"{m.Key} for: {string.Join(",", m.Value)}"));
    }

    private static bool Declares(V1ResourceRequirements? resources, string quotaName) => quotaName.StartsWith("limits.", StringComparison.Ordinal)
        ? resources?.Limits.Has(quotaName["limits.".Length..]) == true
        : resources?.Requests.Has(quotaName.Replace("requests.", "", StringComparison.Ordinal)) == true;

    private static bool IsNative(string name) => name is ResourceNames.Cpu or ResourceNames.Memory or ResourceNames.EphemeralStorage;

    private static Quantity Exact(decimal amount, QuantityFormat format) => Quantity.FromMilliValue(Pods.Quantities.MilliValue(amount), format);

    // A sum prints in the notation of the first that adds to it.
    private static QuantityFormat FormatOf(V1Pod pod, string name, Func<V1ResourceRequirements?, IDictionary<string, ResourceQuantity>?> list)
    {
        var lists = (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).Select(c => c.Resources).Prepend(pod.Spec.Resources).Select(list);
        return lists.FirstOrDefault(l => l.Has(name)) is { } found ? QuotaAmounts.Of(found[name]).Format : QuantityFormat.DecimalSI;
    }
}
