using System.Collections.Frozen;
using k8s.Models;
using Podhost.Api.Selectors;

namespace Podhost.ApiServer.Authz;

/// <summary>All roles and bindings at one moment, indexed by subject. Immutable; a change of policy makes a new one.</summary>
internal sealed class RbacPolicy
{
    private readonly FrozenDictionary<string, IReadOnlyList<Grant>> _byUser;
    private readonly FrozenDictionary<string, IReadOnlyList<Grant>> _byGroup;
    private readonly Dictionary<string, IList<V1PolicyRule>> _clusterRules;
    private readonly Dictionary<(string Namespace, string Name), IList<V1PolicyRule>> _roleRules;

    public RbacPolicy(
        IEnumerable<V1ClusterRole> clusterRoles,
        IEnumerable<V1ClusterRoleBinding> clusterBindings,
        IEnumerable<V1Role> roles,
        IEnumerable<V1RoleBinding> bindings)
    {
        var clusterRules = _clusterRules = RulesOf([.. clusterRoles]);
        var roleRules = _roleRules = roles.ToDictionary(r => (r.Metadata.NamespaceProperty, r.Metadata.Name), r => r.Rules ?? []);
        var users = new Dictionary<string, List<Grant>>();
        var groups = new Dictionary<string, List<Grant>>();

        foreach (var binding in clusterBindings)
        {
            if (clusterRules.TryGetValue(binding.RoleRef.Name, out var rules))
            {
                var because = $"RBAC: allowed by ClusterRoleBinding \"{binding.Metadata.Name}\" of ClusterRole \"{binding.RoleRef.Name}\"";
                Index(binding.Subjects, new Grant(null, rules, because), null, users, groups);
            }
        }

        foreach (var binding in bindings)
        {
            var ns = binding.Metadata.NamespaceProperty;
            var rules = binding.RoleRef.Kind == "ClusterRole"
                ? clusterRules.GetValueOrDefault(binding.RoleRef.Name)
                : roleRules.GetValueOrDefault((ns, binding.RoleRef.Name));
            if (rules is not null)
            {
                var because = $"RBAC: allowed by RoleBinding \"{binding.Metadata.Name}/{ns}\" of {binding.RoleRef.Kind} \"{binding.RoleRef.Name}\"";
                Index(binding.Subjects, new Grant(ns, rules, because), ns, users, groups);
            }
        }

        _byUser = users.ToFrozenDictionary(p => p.Key, p => (IReadOnlyList<Grant>)p.Value);
        _byGroup = groups.ToFrozenDictionary(p => p.Key, p => (IReadOnlyList<Grant>)p.Value);
    }

    /// <summary>Why the request is allowed, or null where no rule allows it.</summary>
    public string? Allows(string user, IReadOnlyList<string> groups, AccessQuery query)
    {
        foreach (var grant in GrantsOf(user, groups))
        {
            if (grant.AppliesTo(query) && grant.Rules.Any(r => RbacRule.Allows(r, query)))
            {
                return grant.Because;
            }
        }

        return null;
    }

    /// <summary>Every rule that a user has in a namespace, for SelfSubjectRulesReview and escalation checks.</summary>
    public IEnumerable<V1PolicyRule> RulesFor(string user, IReadOnlyList<string> groups, string ns) =>
        GrantsOf(user, groups).Where(g => g.Namespace is null || g.Namespace == ns).SelectMany(g => g.Rules);

    /// <summary>The rules of a role, with all that an aggregated one collects; null where there is none.</summary>
    public IReadOnlyList<V1PolicyRule>? RulesOf(string kind, string ns, string name) =>
        (kind == "ClusterRole" ? _clusterRules.GetValueOrDefault(name) : _roleRules.GetValueOrDefault((ns, name))) is { } rules ? [.. rules] : null;

    private IEnumerable<Grant> GrantsOf(string user, IReadOnlyList<string> groups)
    {
        foreach (var grant in _byUser.GetValueOrDefault(user, []))
        {
            yield return grant;
        }

        foreach (var group in groups)
        {
            foreach (var grant in _byGroup.GetValueOrDefault(group, []))
            {
                yield return grant;
            }
        }
    }

    private static void Index(
        IList<Rbacv1Subject>? subjects, Grant grant, string? bindingNamespace, Dictionary<string, List<Grant>> users, Dictionary<string, List<Grant>> groups)
    {
        foreach (var subject in subjects ?? [])
        {
            var (index, key) = subject.Kind switch
            {
                "User" => (users, subject.Name),
                "Group" => (groups, subject.Name),
                _ => (users, $"system:serviceaccount:{subject.NamespaceProperty ?? bindingNamespace}:{subject.Name}"),
            };
            if (!index.TryGetValue(key, out var list))
            {
                index[key] = list = [];
            }

            list.Add(grant);
        }
    }

    // An aggregated role has the rules of all roles that its selectors match. Aggregates may feed aggregates (edit feeds admin).
    private static Dictionary<string, IList<V1PolicyRule>> RulesOf(IReadOnlyList<V1ClusterRole> roles)
    {
        var result = new Dictionary<string, IList<V1PolicyRule>>();
        foreach (var role in roles)
        {
            result[role.Metadata.Name] = role.AggregationRule is null ? role.Rules ?? [] : [.. Aggregate(role, roles, [])];
        }

        return result;
    }

    private static IEnumerable<V1PolicyRule> Aggregate(V1ClusterRole role, IReadOnlyList<V1ClusterRole> all, HashSet<string> seen)
    {
        if (!seen.Add(role.Metadata.Name))
        {
            return [];
        }

        return role.AggregationRule?.ClusterRoleSelectors is not { } selectors
            ? role.Rules ?? []
            : all.Where(r => selectors.Any(s => Matches(s, r.Metadata.Labels))).SelectMany(r => Aggregate(r, all, seen));
    }

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

    private sealed record Grant(string? Namespace, IList<V1PolicyRule> Rules, string Because)
    {
        public bool AppliesTo(in AccessQuery query) => Namespace is null || (query.IsResource && query.Namespace == Namespace);
    }
}
