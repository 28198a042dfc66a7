namespace Podhost.Api.Validation.Pods;

/// <summary>restartPolicy and restartPolicyRules of one container (ContainerRestartRules).</summary>
internal static class ContainerRestartRules
{
    private const int MaxRules = 20;
    private const int MaxExitCodes = 255;

    /// <summary>The rules of a regular or init container.</summary>
    public static void Check(Field container)
    {
        var (policy, rules) = (container["restartPolicy"], container["restartPolicyRules"]);
        policy.OneOf("Always", "OnFailure", "Never");
        if (rules.Count == 0)
        {
            return;
        }

        if (!policy.IsSet)
        {
            policy.Required("must specify restartPolicy when restart rules are used");
        }

        if (rules.Count > MaxRules)
        {
            rules.TooMany(MaxRules);
        }

        foreach (var rule in rules.Items)
        {
            rule["action"].RequiredOneOf("Restart", "RestartAllContainers");
            CheckExitCodes(rule["exitCodes"]);
        }
    }

    private static void CheckExitCodes(Field codes)
    {
        if (!codes.IsSet)
        {
            codes.Required("must be specified");
            return;
        }

        codes["operator"].RequiredOneOf("In", "NotIn");
        if (codes["values"].Count == 0)
        {
            codes["values"].Required("must specify at least one value");
        }
        else if (codes["values"].Count > MaxExitCodes)
        {
            codes["values"].TooMany(MaxExitCodes);
        }

        foreach (var code in codes["values"].Items)
        {
            code.InRange(0, 255);
        }
    }
}
