namespace Podhost.Api.Validation.Pods;

/// <summary>Tolerations of pods and taints of nodes.</summary>
internal static class TolerationRules
{
    private static readonly string[] Effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

    public static void Check(Field tolerations)
    {
        foreach (var toleration in tolerations.Items)
        {
            CheckOne(toleration);
        }
    }

    /// <summary>The effect of a taint.</summary>
    public static void CheckEffect(Field effect) => effect.RequiredOneOf(Effects);

    private static void CheckOne(Field toleration)
    {
        var (key, op, effect, value) = (toleration["key"], toleration["operator"], toleration["effect"], toleration["value"]);
        key.CheckIfSet(Names.Qualified);
        if (key.Text.Length == 0 && op.Text != "Exists")
        {
            op.InvalidText(op.Text, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        }

        if (toleration["tolerationSeconds"].IsSet && effect.Text != "NoExecute")
        {
            effect.InvalidText(effect.Text, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }

        switch (op.Text)
        {
            case "" or "Equal":
                if (Names.LabelValue(value.Text).ToList() is { Count: > 0 } faults)
                {
                    op.InvalidText(value.Text, string.Join(";", faults));
                }

                break;
            case "Exists":
                if (value.Text.Length > 0)
                {
                    op.InvalidText(value.Text, "value must be empty when `operator` is 'Exists'");
                }

                break;
            default:
                op.OneOf("Equal", "Exists");
                break;
        }

        if (effect.Text.Length > 0)
        {
            effect.OneOf(Effects);
        }
    }
}
