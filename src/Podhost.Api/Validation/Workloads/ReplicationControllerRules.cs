using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>ReplicationControllers: ReplicaSets whose selector is a plain map. Source: upstream's ValidateReplicationController.</summary>
internal static class ReplicationControllerRules
{
    public static void Create(Field controller)
    {
        ObjectMetaRules.CheckCreate(controller["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckSpec(controller["spec"]);
    }

    public static void Update(Field controller, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(controller["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            ReplicaSetRules.CheckStatus(controller["status"]);
        }
        else
        {
            CheckSpec(controller["spec"]);
        }
    }

    private static void CheckSpec(Field spec)
    {
        spec["minReadySeconds"].NotNegative();
        if (spec["selector"].Count == 0)
        {
            spec["selector"].Required();
        }

        ObjectMetaRules.CheckLabels(spec["selector"]);
        spec["replicas"].NotNegative();
        var template = spec["template"];
        if (!template.IsSet)
        {
            template.Required();
            return;
        }

        if (spec["selector"].Count > 0 && !TemplateRules.Matches(new JsonObject { ["matchLabels"] = spec["selector"].Node!.DeepClone() }, template["metadata"]["labels"]))
        {
            template["metadata"]["labels"].Invalid("`selector` does not match template `labels`");
        }

        TemplateRules.CheckTemplate(template);
        TemplateRules.CheckRunsForEver(template, "ReplicationController");
    }
}
