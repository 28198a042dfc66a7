using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Policy;

/// <summary>Roles and bindings.</summary>
internal static class RbacRules
{
    private const string Group = "rbac.authorization.k8s.io";

    public static void CheckRole(Field role, bool namespaced)
    {
        ObjectMetaRules.CheckCreate(role["metadata"], namespaced, Names.PathSegment);
        foreach (var rule in role["rules"].Items)
        {
            CheckRule(rule, namespaced);
        }

        var selectors = role["aggregationRule"]["clusterRoleSelectors"];
        if (role["aggregationRule"].IsSet && selectors.Count == 0)
        {
            selectors.Required("at least one clusterRoleSelector required if aggregationRule is non-nil");
        }

        foreach (var selector in selectors.Items)
        {
            SelectorRules.Check(selector);
        }
    }

    public static void CheckBinding(Field binding, bool namespaced)
    {
        ObjectMetaRules.CheckCreate(binding["metadata"], namespaced, Names.PathSegment);
        var role = binding["roleRef"];
        role["apiGroup"].With(role["apiGroup"].Node ?? "").OneOf(Group);
        var kind = role["kind"].With(role["kind"].Node ?? "");
        if (namespaced)
        {
            kind.OneOf("Role", "ClusterRole");
        }
        else
        {
            kind.OneOf("ClusterRole");
        }

        role["name"].CheckRequired(Names.PathSegment);
        foreach (var subject in binding["subjects"].Items)
        {
            CheckSubject(subject, namespaced);
        }
    }

    public static void UpdateBinding(Field binding, Field old, bool namespaced)
    {
        ObjectMetaRules.CheckUpdate(binding["metadata"], old["metadata"]);
        CheckBinding(binding, namespaced);
        if (!JsonNode.DeepEquals(binding["roleRef"].Node, old["roleRef"].Node))
        {
            binding["roleRef"].Invalid("cannot change roleRef");
        }
    }

    private static void CheckRule(Field rule, bool namespaced)
    {
        if (rule["verbs"].Count == 0)
        {
            rule["verbs"].Required("verbs must contain at least one value");
        }

        var urls = rule["nonResourceURLs"];
        if (urls.Count > 0)
        {
            if (namespaced)
            {
                urls.Invalid("namespaced rules cannot apply to non-resource URLs");
            }

            if (rule["apiGroups"].Count + rule["resources"].Count + rule["resourceNames"].Count > 0)
            {
                urls.Invalid("rules cannot apply to both regular resources and non-resource URLs");
            }

            return;
        }

        if (rule["apiGroups"].Count == 0)
        {
            rule["apiGroups"].Required("resource rules must supply at least one api group");
        }

        if (rule["resources"].Count == 0)
        {
            rule["resources"].Required("resource rules must supply at least one resource");
        }
    }

    private static void CheckSubject(Field subject, bool namespaced)
    {
        if (subject["name"].Text.Length == 0)
        {
            subject["name"].Required();
        }

        var account = subject["kind"].Text == "ServiceAccount";
        subject["kind"].With(subject["kind"].Node ?? "").OneOf("ServiceAccount", "User", "Group");
        if (subject["kind"].Text is "ServiceAccount" or "User" or "Group")
        {
            subject["apiGroup"].With(subject["apiGroup"].Node ?? "").OneOf(account ? "" : Group);
        }

        if (account)
        {
            subject["name"].CheckIfSet(Names.DnsSubdomain);
            if (!namespaced && subject["namespace"].Text.Length == 0)
            {
                subject["namespace"].Required();
            }
        }
    }
}
