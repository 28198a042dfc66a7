namespace Podhost.Api.Validation.Extensions;

/// <summary>The names of a custom kind, wanted or accepted.</summary>
internal static class DefinitionNameRules
{
    public static void CheckRequired(Field names)
    {
        foreach (var name in (ReadOnlySpan<string>)["plural", "singular", "kind", "listKind"])
        {
            if (names[name].Text.Length == 0)
            {
                names[name].Required();
            }
        }
    }

    public static void Check(Field names)
    {
        CheckLabel(names["plural"]);
        CheckLabel(names["singular"]);
        CheckKind(names["kind"]);
        CheckKind(names["listKind"]);
        foreach (var item in names["shortNames"].Items.Concat(names["categories"].Items))
        {
            CheckLabel(item, allowsEmpty: false);
        }

        if (names["kind"].Text.Length > 0 && names["kind"].Text == names["listKind"].Text)
        {
            names["listKind"].Invalid("kind and listKind may not be the same");
        }
    }

    private static void CheckLabel(Field name, bool allowsEmpty = true)
    {
        if (!(allowsEmpty && name.Text.Length == 0) && Names.Dns1035Label(name.Text).ToList() is { Count: > 0 } faults)
        {
            name.Invalid(string.Join(',', faults));
        }
    }

    private static void CheckKind(Field kind)
    {
        if (kind.Text.Length > 0 && Names.Dns1035Label(kind.Text.ToLowerInvariant()).ToList() is { Count: > 0 } faults)
        {
            kind.Invalid("may have mixed case, but should otherwise match: " + string.Join(',', faults));
        }
    }
}
