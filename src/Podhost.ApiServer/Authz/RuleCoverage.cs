using System.Text;
using k8s.Models;

namespace Podhost.ApiServer.Authz;

/// <summary>What one set of rules allows that another does not. Pure. Source: upstream's rbac/validation Covers and CompactRules.</summary>
internal static class RuleCoverage
{
    /// <summary>The most single permissions that are looked at one by one; rules that hold more of them must be covered as a whole.</summary>
    public const int MaxPermissions = 10_000;

    /// <summary>The permissions that are wanted and not held, as short rules; empty where all are held.</summary>
    /// <param name="held">What somebody may do.</param>
    /// <param name="wanted">What shall be granted.</param>
    public static IReadOnlyList<V1PolicyRule> Missing(IReadOnlyCollection<V1PolicyRule> held, IEnumerable<V1PolicyRule> wanted)
    {
        var missing = new List<V1PolicyRule>();
        double left = MaxPermissions;
        foreach (var rule in wanted.Where(w => !held.Any(h => Covers(h, w))))
        {
            // A rule past the bound is told as it is: it may be held bit by bit, but nobody writes such a rule in good faith.
            var size = Size(rule);
            if (size > left)
            {
                missing.Add(rule);
                continue;
            }

            left -= size;
            missing.AddRange(Singles(rule).Where(s => !held.Any(h => Covers(h, s))));
        }

        return Compact(missing);
    }

    /// <summary>True where all that a rule allows is allowed by another one alone.</summary>
    public static bool Covers(V1PolicyRule held, V1PolicyRule wanted)
    {
        if (!All(held.Verbs, wanted.Verbs, (h, w) => h == "*" || h == w))
        {
            return false;
        }

        if (wanted.NonResourceURLs is { Count: > 0 } urls)
        {
            return wanted.Resources is not { Count: > 0 } && All(held.NonResourceURLs, urls, CoversPath);
        }

        return All(held.ApiGroups, wanted.ApiGroups, (h, w) => h == "*" || h == w)
            && All(held.Resources, wanted.Resources, CoversResource)
            && (held.ResourceNames is not { Count: > 0 } names || (wanted.ResourceNames is { Count: > 0 } asked && asked.All(names.Contains)));
    }

    /// <summary>A rule in one line, as upstream's messages have it: <c>{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}</c>.</summary>
    public static string Describe(V1PolicyRule rule)
    {
        var parts = new List<string>();
        foreach (var (name, values) in (ReadOnlySpan<(string, IList<string>?)>)
            [
                ("APIGroups", rule.ApiGroups), ("Resources", rule.Resources), ("NonResourceURLs", rule.NonResourceURLs),
                ("ResourceNames", rule.ResourceNames), ("Verbs", rule.Verbs),
            ])
        {
            if (values is { Count: > 0 })
            {
                parts.Add($"{name}:{Quoted(values)}");
            }
        }

        return "{" + string.Join(", ", parts) + "}";
    }

    /// <summary>Strings as Go's %q prints a list.</summary>
    public static string Quoted(IEnumerable<string> values) => "[" + string.Join(' ', values.Select(Quote)) + "]";

    /// <summary>A string as Go's %q prints it.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                < ' ' => quoted.Append($"\\x{(int)c:x2}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static bool All(IList<string>? held, IList<string>? wanted, Func<string, string, bool> covers) =>
        (wanted ?? []).All(w => (held ?? []).Any(h => covers(h, w)));

    // "*/scale" covers the scale subresource of everything.
    private static bool CoversResource(string held, string wanted) =>
        held == "*" || held == wanted || (held.StartsWith("*/", StringComparison.Ordinal) && wanted.Split('/', 2) is [_, var sub] && held[2..] == sub);

    private static bool CoversPath(string held, string wanted) =>
        held == "*" || held == wanted || (held.EndsWith('*') && wanted.StartsWith(held[..^1], StringComparison.Ordinal));

    private static double Size(V1PolicyRule rule)
    {
        static double Count(IList<string>? values) => Math.Max(1, values?.Count ?? 0);
        return (Count(rule.NonResourceURLs) * Count(rule.Verbs)) + (Count(rule.ApiGroups) * Count(rule.Resources) * Count(rule.ResourceNames) * Count(rule.Verbs));
    }

    private static IEnumerable<V1PolicyRule> Singles(V1PolicyRule rule)
    {
        foreach (var group in rule.ApiGroups ?? [])
        {
            foreach (var resource in rule.Resources ?? [])
            {
                foreach (var name in rule.ResourceNames is { Count: > 0 } names ? names.Cast<string?>() : [null])
                {
                    foreach (var verb in rule.Verbs ?? [])
                    {
                        yield return new V1PolicyRule { ApiGroups = [group], Resources = [resource], ResourceNames = name is null ? null : [name], Verbs = [verb] };
                    }
                }
            }
        }

        foreach (var url in rule.NonResourceURLs ?? [])
        {
            foreach (var verb in rule.Verbs ?? [])
            {
                yield return new V1PolicyRule { NonResourceURLs = [url], Verbs = [verb] };
            }
        }
    }

    // Verbs of one resource in one rule.
    private static List<V1PolicyRule> Compact(List<V1PolicyRule> rules)
    {
        var compact = new List<V1PolicyRule>();
        var byResource = new Dictionary<(string, string, string?), V1PolicyRule>();
        foreach (var rule in rules)
        {
            if (rule is not { ApiGroups: [var group], Resources: [var resource], ResourceNames: null or { Count: <= 1 } } || rule.NonResourceURLs is { Count: > 0 })
            {
                compact.Add(rule);
                continue;
            }

            var key = (group, resource, rule.ResourceNames?.FirstOrDefault());
            if (byResource.TryGetValue(key, out var same))
            {
                same.Verbs = [.. same.Verbs.Union(rule.Verbs)];
                continue;
            }

            compact.Add(byResource[key] = new V1PolicyRule { ApiGroups = rule.ApiGroups, Resources = rule.Resources, ResourceNames = rule.ResourceNames, Verbs = rule.Verbs });
        }

        return compact;
    }
}
