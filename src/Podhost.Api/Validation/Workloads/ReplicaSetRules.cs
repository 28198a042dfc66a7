using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>ReplicaSets. Source: upstream's ValidateReplicaSet.</summary>
internal static class ReplicaSetRules
{
    public static void Create(Field set)
    {
        ObjectMetaRules.CheckCreate(set["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckSpec(set["spec"]);
    }

    public static void Update(Field set, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(set["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            CheckStatus(set["status"]);
            return;
        }

        CheckSpec(set["spec"]);
        set["spec"]["selector"].Unchanged(old["spec"]["selector"].Node);
    }

    private static void CheckSpec(Field spec)
    {
        spec["replicas"].NotNegative();
        spec["minReadySeconds"].NotNegative();
        TemplateRules.Check(spec);
    }

    public static void CheckStatus(Field status)
    {
        foreach (var count in (ReadOnlySpan<string>)["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"])
        {
            status[count].NotNegative();
        }

        if (status["availableReplicas"].Number > status["readyReplicas"].Number)
        {
            status["availableReplicas"].Invalid("cannot be greater than readyReplicas");
        }
    }
}
