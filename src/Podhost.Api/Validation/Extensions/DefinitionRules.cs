using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Extensions;

/// <summary>CustomResourceDefinitions. Source: apiextensions-apiserver pkg/apis/apiextensions/validation.</summary>
internal static class DefinitionRules
{
    public static void Create(Field definition)
    {
        var spec = definition["spec"];
        var wanted = $"{spec["names"]["plural"].Text}.{spec["group"].Text}";
        ObjectMetaRules.CheckCreate(definition["metadata"], namespaced: false, name =>
            name == wanted ? Names.DnsSubdomain(name) : Names.DnsSubdomain(name).Append("must be spec.names.plural+\".\"+spec.group"), isExtension: true);
        CheckSpec(spec);
        CheckApproval(definition);
        CheckStored(definition);
    }

    public static void Update(Field definition, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(definition["metadata"], old["metadata"], isExtension: true);
        if (subresource == "status")
        {
            DefinitionNameRules.Check(definition["status"]["acceptedNames"]);
            return;
        }

        // What is stored already does not stand in the way of its own deletion.
        var spec = definition["spec"];
        if (JsonNode.DeepEquals(spec.Node, old["spec"].Node))
        {
            return;
        }

        CheckSpec(spec);
        if (old.Node is JsonObject before && CustomKinds.IsTrue(before, "Established"))
        {
            spec["scope"].Unchanged(old["spec"]["scope"].Node);
            spec["names"]["kind"].Unchanged(old["spec"]["names"]["kind"].Node);
        }

        spec["group"].Unchanged(old["spec"]["group"].Node);
        spec["names"]["plural"].Unchanged(old["spec"]["names"]["plural"].Node);
        CheckStored(definition);
    }

    private static void CheckSpec(Field spec)
    {
        CheckGroup(spec["group"]);
        spec["scope"].RequiredOneOf("Cluster", "Namespaced");
        CheckVersions(spec["versions"]);
        DefinitionNameRules.CheckRequired(spec["names"]);
        DefinitionNameRules.Check(spec["names"]);
        CheckConversion(spec["conversion"]);
        if (spec["preserveUnknownFields"].Flag)
        {
            spec["preserveUnknownFields"].Invalid(
                "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
        }
    }

    private static void CheckGroup(Field group)
    {
        if (group.Text.Length == 0)
        {
            group.Required();
        }
        else if (Names.DnsSubdomain(group.Text).ToList() is { Count: > 0 } faults)
        {
            group.Invalid(string.Join(',', faults));
        }
        else if (!group.Text.Contains('.', StringComparison.Ordinal))
        {
            group.Invalid("should be a domain with at least one dot");
        }
    }

    private static void CheckVersions(Field versions)
    {
        foreach (var version in versions.Items)
        {
            DefinitionVersionRules.Check(version);
        }

        if (versions.Items.Select(v => v["name"].Text).Distinct(StringComparer.Ordinal).Count() != versions.Count)
        {
            versions.Invalid("must contain unique version names");
        }

        if (versions.Items.Count(v => v["storage"].Flag) != 1)
        {
            versions.Invalid("must have exactly one version marked as storage version");
        }
    }

    private static void CheckConversion(Field conversion)
    {
        var strategy = conversion["strategy"];
        if (strategy.Text == "Webhook")
        {
            CheckWebhook(conversion["webhook"]);
            return;
        }

        strategy.RequiredOneOf("None", "Webhook");
        if (conversion["webhook"].IsSet)
        {
            conversion["webhook"].Forbidden("should not be set when strategy is not set to Webhook");
        }
    }

    private static void CheckWebhook(Field webhook)
    {
        if (!webhook["clientConfig"].IsSet)
        {
            webhook["clientConfig"].Required("required when strategy is set to Webhook");
        }
        else
        {
            WebhookRules.CheckClient(webhook["clientConfig"]);
        }

        WebhookRules.CheckVersions(webhook["conversionReviewVersions"]);
    }

    // Groups of the Kubernetes community want the approval of its reviewers, or the word that there is none.
    private static void CheckApproval(Field definition)
    {
        var group = definition["spec"]["group"].Text;
        if (!ApiApproval.IsProtected(group))
        {
            return;
        }

        var approval = definition["metadata"]["annotations"].Key(ApiApproval.Annotation);
        if (approval.Text.Length == 0)
        {
            approval.Required(ApiApproval.Missing);
        }
        else if (!ApiApproval.IsApproval(approval.Text) && !ApiApproval.IsUnapproved(approval.Text))
        {
            approval.Invalid(ApiApproval.Invalid);
        }
    }

    private static void CheckStored(Field definition)
    {
        var stored = definition["status"]["storedVersions"];
        var versions = definition["spec"]["versions"];
        if (stored.Count == 0)
        {
            stored.InvalidAs("[]", "must have at least one stored version");
            return;
        }

        var names = stored.Items.Select(s => s.Text).ToHashSet(StringComparer.Ordinal);
        foreach (var version in versions.Items.Where(v => v["storage"].Flag && !names.Contains(v["name"].Text)))
        {
            stored.With(version.Node).Invalid("must have the storage version " + version["name"].Text);
        }

        foreach (var name in stored.Items.Where(s => versions.Items.All(v => v["name"].Text != s.Text)))
        {
            name.Invalid("must appear in spec.versions");
        }
    }
}
