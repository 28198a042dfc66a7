namespace Podhost.Api.Schema;

/// <summary>Parses the lines of one type. Columns: see tools/Podhost.SchemaGen/SchemaWriter.cs.</summary>
internal static class SchemaParser
{
    public static SchemaType Parse(string name, string[] lines)
    {
        var fields = lines.Skip(1).Select(l => ParseField(l.Split('\t'))).ToArray();
        return new SchemaType(name, fields) { IsAtomic = lines[0].EndsWith("\tatomic", StringComparison.Ordinal) };
    }

    private static SchemaField ParseField(string[] columns)
    {
        string At(int i) => i < columns.Length ? string.Intern(columns[i]) : "";
        return new SchemaField(At(1), ParseValue(columns[2]))
        {
            Required = At(3) == "required",
            PatchStrategy = At(4),
            MergeKey = At(5),
            DeclaredListType = At(6),
            ListMapKeys = At(7).Length == 0 ? [] : At(7).Split(','),
            DeclaredMapType = At(8),
            Default = At(9).Length == 0 ? null : At(9),
        };
    }

    private static SchemaValue ParseValue(string notation) => notation switch
    {
        ['[', ']', .. var item] => new SchemaValue(SchemaKind.List, item: ParseValue(item)),
        ['{', '}', .. var item] => new SchemaValue(SchemaKind.Map, item: ParseValue(item)),
        ['@', .. var type] => new SchemaValue(SchemaKind.Object, type: new Lazy<SchemaType>(() => SchemaCatalog.Get(type))),
        _ => Scalars[notation],
    };

    private static readonly Dictionary<string, SchemaValue> Scalars = new(StringComparer.Ordinal)
    {
        ["string"] = new(SchemaKind.String),
        ["bool"] = new(SchemaKind.Boolean),
        ["int32"] = new(SchemaKind.Integer, "int32"),
        ["int64"] = new(SchemaKind.Integer, "int64"),
        ["double"] = new(SchemaKind.Number, "double"),
        ["time"] = new(SchemaKind.DateTime),
        ["microTime"] = new(SchemaKind.MicroTime),
        ["bytes"] = new(SchemaKind.Bytes),
        ["quantity"] = new(SchemaKind.Quantity),
        ["intOrString"] = new(SchemaKind.IntOrString),
        ["any"] = new(SchemaKind.Any),
    };
}
