namespace Podhost.Api.Validation.Metadata;

/// <summary>Label selectors of objects. Source: apimachinery's ValidateLabelSelector.</summary>
internal static class SelectorRules
{
    public static void Check(Field selector)
    {
        if (!selector.IsSet)
        {
            return;
        }

        ObjectMetaRules.CheckLabels(selector["matchLabels"]);
        foreach (var requirement in selector["matchExpressions"].Items)
        {
            var values = requirement["values"];
            switch (requirement["operator"].Text)
            {
                case "In" or "NotIn":
                    if (values.Count == 0)
                    {
                        values.Required("must be specified when `operator` is 'In' or 'NotIn'");
                    }

                    break;
                case "Exists" or "DoesNotExist":
                    if (values.Count > 0)
                    {
                        values.Forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                    }

                    break;
                default:
                    requirement["operator"].InvalidText(requirement["operator"].Text, "not a valid selector operator");
                    break;
            }

            requirement["key"].Check(Names.Qualified);
            foreach (var value in values.Items)
            {
                value.Check(Names.LabelValue);
            }
        }
    }
}
