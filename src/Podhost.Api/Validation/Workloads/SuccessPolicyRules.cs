using Podhost.Api.Workloads;

namespace Podhost.Api.Validation.Workloads;

/// <summary>successPolicy of Jobs. Source: upstream's validateSuccessPolicy.</summary>
internal static class SuccessPolicyRules
{
    private const int MaxRules = 20;
    private const int MaxIndexBytes = 64 * 1024;

    public static void Check(Field spec)
    {
        var (policy, rules) = (spec["successPolicy"], spec["successPolicy"]["rules"]);
        if (!policy.IsSet)
        {
            return;
        }

        if (spec["completionMode"].Text != "Indexed")
        {
            policy.Invalid("requires indexed completion mode");
        }

        if (rules.Count == 0)
        {
            rules.Required("at least one rules must be specified when the successPolicy is specified");
        }
        else if (rules.Count > MaxRules)
        {
            rules.TooMany(MaxRules);
        }

        foreach (var rule in rules.Items)
        {
            CheckRule(rule, spec["completions"].Number);
        }
    }

    private static void CheckRule(Field rule, long completions)
    {
        var (count, indexes) = (rule["succeededCount"], rule["succeededIndexes"]);
        if (!count.IsSet && !indexes.IsSet)
        {
            rule.Required("at least one of succeededCount or succeededIndexes must be specified");
        }

        long? named = null;
        if (indexes.IsSet && indexes.Text.Length > MaxIndexBytes)
        {
            indexes.TooLong(MaxIndexBytes);
        }
        else if (indexes.IsSet)
        {
            if (IndexRanges.Parse(indexes.Text, completions, out var ranges) is { } fault)
            {
                indexes.Invalid("error parsing succeededIndexes: " + fault);
            }
            else
            {
                named = ranges.Count;
            }
        }

        count.NotNegative();
        if (count.IsSet && count.Number > completions)
        {
            count.Invalid($"must be less than or equal to {completions} (the number of specified completions)");
        }

        if (count.IsSet && count.Number > named)
        {
            count.Invalid($"must be less than or equal to {named} (the number of indexes in the specified succeededIndexes field)");
        }
    }
}
