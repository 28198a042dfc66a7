namespace Podhost.Api.Validation.Pods;

/// <summary>matchLabelKeys and mismatchLabelKeys beside a selector. Source: upstream's validateLabelKeysWithSelector.</summary>
internal static class LabelKeyRules
{
    /// <summary>A key may not be in the selector too. The selector has one requirement by it already where the pod has such a label: its merge came before.</summary>
    public static void CheckNotInSelector(Field key, Field selector, string name)
    {
        var labels = selector["matchLabels"].Key(key.Text).IsSet ? 1 : 0;
        if (labels + selector["matchExpressions"].Items.Count(e => e["key"].Text == key.Text) > 1)
        {
            key.Invalid($"exists in both {name} and labelSelector");
        }
    }
}
