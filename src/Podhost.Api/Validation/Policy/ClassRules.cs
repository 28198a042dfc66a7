using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Policy;

/// <summary>PriorityClasses, RuntimeClasses, Leases.</summary>
internal static class ClassRules
{
    private const long HighestUserPriority = 1_000_000_000;

    public static void CreatePriority(Field priority)
    {
        var meta = priority["metadata"];
        ObjectMetaRules.CheckCreate(meta, namespaced: false, Names.DnsSubdomain);
        var system = meta["name"].Text is "system-node-critical" or "system-cluster-critical";
        if (!system && meta["name"].Text.StartsWith("system-", StringComparison.Ordinal))
        {
            meta["name"].Forbidden("priority class names with 'system-' prefix are reserved for system use only. error: "
                + $"{meta["name"].Text} is not a known system priority class");
        }

        if (!system && priority["value"].Number > HighestUserPriority)
        {
            priority["value"].Forbidden($"maximum allowed value of a user defined priority is {HighestUserPriority}");
        }

        if (priority["preemptionPolicy"].IsSet)
        {
            priority["preemptionPolicy"].RequiredOneOf("PreemptLowerPriority", "Never");
        }
    }

    public static void UpdatePriority(Field priority, Field old)
    {
        ObjectMetaRules.CheckUpdate(priority["metadata"], old["metadata"]);
        if (priority["value"].Number != old["value"].Number)
        {
            priority.Child("Value", null).Forbidden("may not be changed in an update.");
        }

        priority["preemptionPolicy"].Unchanged(old["preemptionPolicy"].Node);
    }

    public static void CheckRuntime(Field runtime)
    {
        ObjectMetaRules.CheckCreate(runtime["metadata"], namespaced: false, Names.DnsSubdomain);
        runtime["handler"].Check(Names.DnsLabel);
        foreach (var (name, amount) in runtime["overhead"]["podFixed"].Entries)
        {
            ResourceRules.CheckAmount(name, amount);
        }

        ObjectMetaRules.CheckLabels(runtime["scheduling"]["nodeSelector"]);
        TolerationRules.Check(runtime["scheduling"]["tolerations"]);
    }

    public static void UpdateRuntime(Field runtime, Field old)
    {
        ObjectMetaRules.CheckUpdate(runtime["metadata"], old["metadata"]);
        CheckRuntime(runtime);
        runtime["handler"].Unchanged(old["handler"].Node);
    }

    public static void CheckLease(Field lease)
    {
        ObjectMetaRules.CheckCreate(lease["metadata"], namespaced: true, Names.DnsSubdomain);
        var (duration, transitions) = (lease["spec"]["leaseDurationSeconds"], lease["spec"]["leaseTransitions"]);
        if (duration.IsSet && duration.Number <= 0)
        {
            duration.Invalid("must be greater than 0");
        }

        if (transitions.IsSet && transitions.Number < 0)
        {
            transitions.Invalid("must be greater than or equal to 0");
        }
    }
}
