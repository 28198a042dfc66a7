using System.Text;
using System.Text.Json;

namespace Podhost.Api.Schema;

/// <summary>The names of JSON and Go types in decode errors.</summary>
internal static class JsonTypes
{
    /// <summary>What a value is, as Go's decoder calls it.</summary>
    public static string Describe(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => "string",
        JsonTokenType.True or JsonTokenType.False => "bool",
        JsonTokenType.StartArray => "array",
        JsonTokenType.StartObject => "object",
        JsonTokenType.Null => "null",
        _ => "number",
    };

    /// <summary>As <see cref="Describe"/>, with the text of a number that is of the wrong size or has a fraction.</summary>
    public static string DescribeNumber(ref Utf8JsonReader reader) => "number " + Encoding.UTF8.GetString(reader.ValueSpan);

    /// <summary>The Go type of a value.</summary>
    public static string GoType(SchemaValue value) => value.Kind switch
    {
        SchemaKind.Integer => value.Format,
        SchemaKind.Number => "float64",
        SchemaKind.Boolean => "bool",
        SchemaKind.List => "[]" + GoType(value.Item!),
        SchemaKind.Map => "map[string]" + GoType(value.Item!),
        SchemaKind.Object => "v1." + value.Type!.ShortName,
        SchemaKind.Bytes => "[]uint8",
        SchemaKind.DateTime => "v1.Time",
        SchemaKind.MicroTime => "v1.MicroTime",
        SchemaKind.Quantity => "resource.Quantity",
        SchemaKind.IntOrString => "intstr.IntOrString",
        _ => "string",
    };
}
