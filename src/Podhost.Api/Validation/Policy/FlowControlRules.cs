using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Policy;

/// <summary>FlowSchemas and PriorityLevelConfigurations. Source: upstream's pkg/apis/flowcontrol/validation.</summary>
internal static class FlowControlRules
{
    private const int MaxPrecedence = 10_000;

    public static void CheckSchema(Field schema)
    {
        ObjectMetaRules.CheckCreate(schema["metadata"], namespaced: false, Names.DnsSubdomain);
        var spec = schema["spec"];
        if (spec["matchingPrecedence"].Number <= 0)
        {
            spec["matchingPrecedence"].Invalid("must be a positive value");
        }

        if (spec["matchingPrecedence"].Number > MaxPrecedence)
        {
            spec["matchingPrecedence"].Invalid($"must not be greater than {MaxPrecedence}");
        }

        if (spec["distinguisherMethod"].IsSet)
        {
            spec["distinguisherMethod"]["type"].RequiredOneOf("ByNamespace", "ByUser");
        }

        spec["priorityLevelConfiguration"]["name"].CheckRequired(Names.DnsSubdomain);
        foreach (var rule in spec["rules"].Items)
        {
            CheckRule(rule);
        }
    }

    public static void CheckLevel(Field level)
    {
        ObjectMetaRules.CheckCreate(level["metadata"], namespaced: false, Names.DnsSubdomain);
        var (spec, limited) = (level["spec"], level["spec"]["limited"]);
        spec["type"].RequiredOneOf("Exempt", "Limited");
        if (spec["type"].Text != "Limited")
        {
            if (limited.IsSet)
            {
                limited.Forbidden("must be nil if the type is not Limited");
            }

            return;
        }

        if (!limited.IsSet)
        {
            limited.Required("must not be empty when type is Limited");
            return;
        }

        if (spec["exempt"].IsSet)
        {
            spec["exempt"].Forbidden("must be nil if the type is Limited");
        }

        CheckLimits(limited);
    }

    private static void CheckLimits(Field limited)
    {
        limited["nominalConcurrencyShares"].NotNegative();
        limited["lendablePercent"].InRange(0, 100);
        limited["borrowingLimitPercent"].NotNegative();
        var response = limited["limitResponse"];
        response["type"].RequiredOneOf("Queue", "Reject");
        if (response["type"].Text == "Reject" && response["queuing"].IsSet)
        {
            response["queuing"].Forbidden("must be nil if limited.limitResponse.type is not Limited");
        }

        if (response["type"].Text == "Queue" && !response["queuing"].IsSet)
        {
            response["queuing"].Required("must not be empty if limited.limitResponse.type is Limited");
        }
    }

    private static void CheckRule(Field rule)
    {
        if (rule["subjects"].Count == 0)
        {
            rule["subjects"].Required("subjects must contain at least one value");
        }

        foreach (var subject in rule["subjects"].Items)
        {
            CheckSubject(subject);
        }

        if (rule["resourceRules"].Count + rule["nonResourceRules"].Count == 0)
        {
            rule.Required("at least one of resourceRules and nonResourceRules has to be non-empty");
        }
    }

    private static void CheckSubject(Field subject)
    {
        subject["kind"].RequiredOneOf("Group", "ServiceAccount", "User");
        var wanted = subject["kind"].Text switch
        {
            "Group" => "group",
            "ServiceAccount" => "serviceAccount",
            "User" => "user",
            _ => null,
        };
        if (wanted is not null && subject[wanted]["name"].Text.Length == 0)
        {
            subject[wanted]["name"].Required();
        }
    }
}
