using k8s.Models;

namespace Podhost.ApiServer.Authz;

/// <summary>Whether one PolicyRule allows one request; upstream's VerbMatches, APIGroupMatches, ResourceMatches and so on.</summary>
internal static class RbacRule
{
    public static bool Allows(V1PolicyRule rule, in AccessQuery query) => query.IsResource
        ? Has(rule.Verbs, query.Verb)
            && Has(rule.ApiGroups, query.Group)
            && MatchesResource(rule.Resources, query.Resource, query.Subresource)
            && (rule.ResourceNames is not { Count: > 0 } names || names.Contains(query.Name))
        : Has(rule.Verbs, query.Verb) && MatchesPath(rule.NonResourceURLs, query.Path);

    private static bool Has(IList<string>? values, string wanted) =>
        values is not null && (values.Contains("*") || values.Contains(wanted));

    private static bool MatchesResource(IList<string>? resources, string resource, string subresource)
    {
        if (resources is null)
        {
            return false;
        }

        var combined = subresource.Length == 0 ? resource : $"{resource}/{subresource}";
        return resources.Any(r => r == "*" || r == combined || (subresource.Length > 0 && r == "*/" + subresource));
    }

    private static bool MatchesPath(IList<string>? urls, string path) =>
        urls is not null && urls.Any(u => u == "*" || u == path || (u.EndsWith('*') && path.StartsWith(u[..^1], StringComparison.Ordinal)));
}

/// <summary>A request as RBAC sees it.</summary>
/// <param name="Verb">Verb, lower case.</param>
/// <param name="IsResource">False for a plain path.</param>
/// <param name="Group">API group.</param>
/// <param name="Resource">Plural name.</param>
/// <param name="Subresource">Subresource or empty.</param>
/// <param name="Namespace">Namespace or empty.</param>
/// <param name="Name">Object name or empty.</param>
/// <param name="Path">The path where <paramref name="IsResource"/> is false.</param>
internal readonly record struct AccessQuery(
    string Verb, bool IsResource, string Group, string Resource, string Subresource, string Namespace, string Name, string Path);
