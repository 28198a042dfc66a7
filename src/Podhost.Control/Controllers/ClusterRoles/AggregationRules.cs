using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Selectors;

namespace Podhost.Control.Controllers.ClusterRoles;

/// <summary>The rules of a ClusterRole that collects those of others. Pure. Source: upstream's clusterroleaggregation.</summary>
internal static class AggregationRules
{
    /// <summary>The rules of all roles that a selector of the role matches, by selector and name, each rule once.</summary>
    public static IReadOnlyList<V1PolicyRule> Collect(V1ClusterRole role, IEnumerable<V1ClusterRole> all)
    {
        var others = all.Where(r => r.Metadata.Name != role.Metadata.Name).OrderBy(r => r.Metadata.Name, StringComparer.Ordinal).ToList();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return
        [
            .. (role.AggregationRule?.ClusterRoleSelectors ?? [])
                .SelectMany(s => others.Where(o => Matches(s, o.Metadata.Labels)))
                .SelectMany(o => o.Rules ?? [])
                .Where(r => seen.Add(Printed(r))),
        ];
    }

    /// <summary>True where two lists say the same in the same order.</summary>
    public static bool Same(IEnumerable<V1PolicyRule>? a, IEnumerable<V1PolicyRule> b) => (a ?? []).Select(Printed).SequenceEqual(b.Select(Printed));

    private static string Printed(V1PolicyRule rule) => ObjectCodec.ToObject(rule).ToJsonString();

    // A selector that does not compile adds nothing: validation refuses it, but an older store may hold one.
    private static bool Matches(V1LabelSelector selector, IDictionary<string, string>? labels)
    {
        try
        {
            return LabelSelector.FromModel(selector).Matches(key => labels is not null && labels.TryGetValue(key, out var value) ? value : null);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
