using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>Tells who changes the enforce level of a namespace which of the pods in it violate the new one; they stay.</summary>
internal static class ExistingPods
{
    // As upstream: a label must not cost more than this.
    private const int MaxPods = 3_000;
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();

    public static IEnumerable<string> Warnings(IObjectReader objects, string ns, LevelVersion enforce, PodSecurityOptions options)
    {
        var (checkedPods, total) = (0, 0);
        var byReason = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var cached in objects.List(Pods, ns))
        {
            total++;
            if (checkedPods == MaxPods)
            {
                continue;
            }

            checkedPods++;
            var pod = cached.ToObject();
            if (Reasons(pod, enforce, options) is { Length: > 0 } reasons)
            {
                (byReason.TryGetValue(reasons, out var names) ? names : byReason[reasons] = []).Add(Meta.Name(pod));
            }
        }

        return
        [
            .. checkedPods < total ? [$"new PodSecurity enforce level only checked against the first {checkedPods} of {total} existing pods"] : Array.Empty<string>(),
            .. byReason.Count > 0 ? [$"existing pods in namespace \"{ns}\" violate the new PodSecurity enforce level \"{enforce}\""] : Array.Empty<string>(),
            .. byReason.Select(r => Decorate(r.Value) + ": " + r.Key).Order(StringComparer.Ordinal),
        ];
    }

    private static string Reasons(JsonObject pod, LevelVersion enforce, PodSecurityOptions options)
    {
        var spec = pod["spec"] as JsonObject ?? [];
        return options.RuntimeClasses.Contains(Meta.Text(spec["runtimeClassName"]))
            ? ""
            : PolicyEvaluator.Reasons(PolicyEvaluator.Evaluate(enforce, pod["metadata"] as JsonObject, spec));
    }

    private static string Decorate(List<string> names)
    {
        var first = names.Min(StringComparer.Ordinal)!;
        return names.Count switch
        {
            1 => first,
            2 => first + " (and 1 other pod)",
            _ => string.Create(CultureInfo.InvariantCulture, $"{first} (and {names.Count - 1} other pods)"),
        };
    }
}
