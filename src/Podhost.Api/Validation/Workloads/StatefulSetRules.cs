using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Storage;

namespace Podhost.Api.Validation.Workloads;

/// <summary>StatefulSets. Source: upstream's ValidateStatefulSet and ValidateStatefulSetUpdate.</summary>
internal static class StatefulSetRules
{
    private static readonly string[] Changeable =
        ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"];

    private static readonly string[] Counts = ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration", "collisionCount"];

    public static void Create(Field set)
    {
        ObjectMetaRules.CheckCreate(set["metadata"], namespaced: true, Names.DnsLabel);
        CheckSpec(set["spec"]);
    }

    public static void Update(Field set, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(set["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            CheckStatus(set["status"], old["status"]);
            return;
        }

        CheckSpec(set["spec"]);
        if (!JsonNode.DeepEquals(Fixed(set["spec"]), Fixed(old["spec"])))
        {
            set["spec"].Forbidden(
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
        }
    }

    // What may not change once the set is made.
    private static JsonNode? Fixed(Field spec)
    {
        var rest = spec.Node?.DeepClone();
        foreach (var name in Changeable)
        {
            (rest as JsonObject)?.Remove(name);
        }

        return rest;
    }

    private static void CheckSpec(Field spec)
    {
        var policy = spec["podManagementPolicy"];
        if (policy.Text.Length == 0)
        {
            policy.Required();
        }
        else if (policy.Text is not ("OrderedReady" or "Parallel"))
        {
            policy.Invalid("must be 'OrderedReady' or 'Parallel'");
        }

        CheckStrategy(spec["updateStrategy"]);
        foreach (var name in (ReadOnlySpan<string>)["whenDeleted", "whenScaled"])
        {
            spec["persistentVolumeClaimRetentionPolicy"][name].OneOf("Retain", "Delete");
        }

        foreach (var name in (ReadOnlySpan<string>)["replicas", "minReadySeconds", "revisionHistoryLimit"])
        {
            spec[name].NotNegative();
        }

        spec["ordinals"]["start"].NotNegative();
        foreach (var claim in spec["volumeClaimTemplates"].Items)
        {
            claim["metadata"]["name"].CheckRequired(Names.DnsLabel);
            ClaimRules.CheckSpec(claim["spec"]);
        }

        TemplateRules.CheckSelector(spec, "statefulset");
        CheckTemplate(spec);
    }

    // The claims are volumes of the pods, in place of volumes of the same name.
    private static void CheckTemplate(Field spec)
    {
        var template = spec["template"];
        if (template["spec"].Node is JsonObject pod && spec["volumeClaimTemplates"].Count > 0)
        {
            var claims = spec["volumeClaimTemplates"].Items.Select(c => c["metadata"]["name"].Text).ToHashSet(StringComparer.Ordinal);
            var whole = (JsonObject)template.Node!.DeepClone();
            var volumes = (pod["volumes"] as JsonArray ?? []).OfType<JsonObject>().Where(v => v["name"] is not JsonValue n || !n.TryGetValue<string>(out var name) || !claims.Contains(name));
            whole["spec"]!["volumes"] = new JsonArray(
                [.. volumes.Select(v => v.DeepClone()), .. claims.Select(c => new JsonObject { ["name"] = c, ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = c } })]);
            template = template.With(whole);
        }

        TemplateRules.CheckTemplate(template);
        TemplateRules.CheckRunsForEver(template, "StatefulSet");
    }

    private static void CheckStrategy(Field strategy)
    {
        var (type, rolling) = (strategy["type"].Text, strategy["rollingUpdate"]);
        switch (type)
        {
            case "":
                strategy.Required();
                break;
            case "OnDelete" when rolling.IsSet:
                rolling.Invalid("only allowed for updateStrategy 'RollingUpdate'");
                break;
            case "RollingUpdate" when rolling.IsSet:
                rolling["partition"].NotNegative();
                if (rolling["maxUnavailable"].IsSet && DeploymentRules.CheckShare(rolling["maxUnavailable"], atMost100: true) == 0)
                {
                    rolling["maxUnavailable"].Invalid("cannot be 0");
                }

                break;
            case "OnDelete" or "RollingUpdate":
                break;
            default:
                strategy.Invalid("must be 'RollingUpdate' or 'OnDelete'");
                break;
        }
    }

    private static void CheckStatus(Field status, Field old)
    {
        foreach (var count in Counts)
        {
            status[count].NotNegative();
        }

        foreach (var count in (ReadOnlySpan<string>)["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"])
        {
            if (status[count].Number > status["replicas"].Number)
            {
                status[count].Invalid("cannot be greater than status.replicas");
            }
        }

        if (status["availableReplicas"].Number > status["readyReplicas"].Number)
        {
            status["availableReplicas"].Invalid("cannot be greater than status.readyReplicas");
        }

        if (status["collisionCount"].Number < old["collisionCount"].Number)
        {
            status["collisionCount"].Invalid("cannot be decremented");
        }
    }
}
