namespace Podhost.Cel.Values;

/// <summary>Names of object literals follow the fields that hold them: <c>Object{spec: Object.spec{…}}</c>.</summary>
internal static class StructNames
{
    /// <summary>The first name that does not, as upstream tells it, or null.</summary>
    public static string? Mismatch(object value) => value switch
    {
        StructValue { Type.Name: "JSONPatch" } patch => patch.Find("value") is { } inner ? Mismatch(inner) : null,
        StructValue s => Fields(s),
        CelList list => list.Items.Select(Mismatch).FirstOrDefault(m => m is not null),
        _ => null,
    };

    private static string? Fields(StructValue value) => value.Keys.Select(k => Check(value.Find(k)!, $"{value.Type.Name}.{k}")).FirstOrDefault(m => m is not null);

    private static string? Check(object value, string expected) => value switch
    {
        StructValue s when s.Type.Name != expected =>
            $"unexpected type name \"{s.Type.Name}\", expected \"{expected}\", which matches field name path from root Object type",
        StructValue s => Fields(s),
        CelList list => list.Items.Select(i => Check(i, expected)).FirstOrDefault(m => m is not null),
        _ => null,
    };
}
