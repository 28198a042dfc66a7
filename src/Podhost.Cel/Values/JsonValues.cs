using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Cel.Schemas;

namespace Podhost.Cel.Values;

/// <summary>JSON as values. With a schema, strings become times, bytes and spans, and lists compare as their list type says.</summary>
internal static class JsonValues
{
    /// <summary>The value of a node. Without a schema everything is taken as JSON has it.</summary>
    public static object From(JsonNode? node, CelSchema? schema = null)
    {
        switch (node)
        {
            case null:
                return schema is null or { IsNullable: true } or { IsUntyped: true }
                    ? CelNull.Instance
                    : new CelError("invalid data, got null for schema with nullable=false");
            case JsonObject o:
                return new JsonMap(o, schema);
            case JsonArray a:
                return new JsonList(a, schema);
            default:
                return Scalar((JsonValue)node, schema);
        }
    }

    private static object Scalar(JsonValue value, CelSchema? schema)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.True:
                return Boxes.True;
            case JsonValueKind.False:
                return Boxes.False;
            case JsonValueKind.String:
                return Text(value.GetValue<string>(), schema);
            default:
                return Number(value, schema);
        }
    }

    private static object Text(string text, CelSchema? schema)
    {
        if (schema is not { Type: "string" })
        {
            return text;
        }

        return schema.Format switch
        {
            "byte" => FromBase64(text),
            "date-time" => CelTimestamp.TryParse(text) is { } time ? time : new CelError($"Invalid timestamp format in field: {text}"),
            "date" => CelTimestamp.TryParseDate(text) is { } date ? date : new CelError($"Invalid date formatted string {text}"),
            "duration" => CelDuration.TryParse(text) is { } span ? span : new CelError($"Invalid duration {text}"),
            _ => text,
        };
    }

    private static object FromBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) ? new CelBytes(bytes[..count]) : new CelError($"Invalid byte formatted string {text}");
    }

    private static object Number(JsonValue value, CelSchema? schema)
    {
        var text = value.ToJsonString();
        if (schema is { Type: "number" } || !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            var number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            return schema is { Type: "integer" } && Math.Floor(number) == number ? Numbers.ToInt(number) : number;
        }

        return whole;
    }

    /// <summary>A value as JSON. Timestamps, spans and bytes become strings.</summary>
    /// <exception cref="InvalidOperationException">The value has no form in JSON; the message says so.</exception>
    public static JsonNode? To(object value) => value switch
    {
        CelNull => null,
        bool b => JsonValue.Create(b),
        long l => JsonValue.Create(l),
        ulong u => JsonValue.Create(u),
        double d => JsonValue.Create(d),
        string s => JsonValue.Create(s),
        CelBytes b => JsonValue.Create(Convert.ToBase64String(b.Value)),
        CelTimestamp or CelDuration => JsonValue.Create(value.ToString()),
        JsonMap m => m.Node.DeepClone(),
        JsonList l => l.Node.DeepClone(),
        CelList l => new JsonArray([.. l.Items.Select(To)]),
        CelMap m => Object(m),
        CelOptional { Value: { } inner } => To(inner),
        _ => throw new InvalidOperationException($"unsupported type: {Values.TypeOf(value)}"),
    };

    private static JsonObject Object(CelMap map)
    {
        var result = new JsonObject();
        foreach (var key in map.Keys)
        {
            if (map.Find(key) is { } value and not CelOptional { HasValue: false })
            {
                result[map is StructValue ? FieldNames.Unescape((string)key) : Values.Display(key)] = To(value);
            }
        }

        return result;
    }
}

/// <summary>A JSON object: a map, or an object with declared fields, whose names may be escaped.</summary>
internal sealed class JsonMap(JsonObject node, CelSchema? schema) : CelMap
{
    public JsonObject Node { get; } = node;

    public override int Count => Node.Count;

    public override IEnumerable<object> Keys => Node.Select(p => IsObject ? FieldNames.Escape(p.Key) ?? p.Key : p.Key);

    private bool IsObject => schema is { AdditionalProperties: null };

    public override object? Find(object key)
    {
        if (key is not string name)
        {
            return null;
        }

        if (schema is null)
        {
            return Node.TryGetPropertyValue(name, out var plain) ? JsonValues.From(plain) : null;
        }

        var field = IsObject ? FieldNames.Unescape(name) : name;
        return Node.TryGetPropertyValue(field, out var value) && schema.Child(field) is { } child ? JsonValues.From(value, child) : null;
    }
}

/// <summary>A JSON array.</summary>
internal sealed class JsonList(JsonArray node, CelSchema? schema) : CelList
{
    private readonly object?[] _items = new object?[node.Count];

    public JsonArray Node { get; } = node;

    public override int Count => _items.Length;

    public override object this[int index] => _items[index] ??= JsonValues.From(Node[index], schema?.Items);

    private bool IsSet => schema?.ListType == "set";

    private bool IsMap => schema?.ListType == "map";

    public override CelList Concat(CelList other) => IsSet ? Union(other, Contains) : IsMap ? Merge(other) : base.Concat(other);

    public override object EqualTo(CelList other)
    {
        if (!IsSet && !IsMap)
        {
            return other is JsonList { IsSet: true } or JsonList { IsMap: true } ? other.EqualTo(this) : base.EqualTo(other);
        }

        return Count == other.Count ? Boxes.Of(other.Items.All(i => IsSet ? Contains(i) : ReferenceEquals(Values.Equal(WithKey(i) ?? CelNull.Instance, i), Boxes.True))) : Boxes.False;
    }

    private bool Contains(object item) => Items.Any(i => ReferenceEquals(Values.Equal(i, item), Boxes.True));

    private CelList Union(CelList other, Func<object, bool> isHere) => new ArrayList([.. Items, .. other.Items.Where(i => !isHere(i))]);

    private CelList Merge(CelList other)
    {
        var theirs = other.Items.ToDictionary(KeyOf, StringComparer.Ordinal);
        var mine = Items.Select(i => theirs.Remove(KeyOf(i), out var replaced) ? replaced : i).ToList();
        return new ArrayList([.. mine, .. other.Items.Where(i => theirs.ContainsKey(KeyOf(i)))]);
    }

    private object? WithKey(object item)
    {
        var key = KeyOf(item);
        return Items.FirstOrDefault(i => KeyOf(i) == key);
    }

    private string KeyOf(object item) => item is CelMap map
        ? string.Join('\0', schema!.ListMapKeys.Select(k => map.Find(FieldNames.Escape(k) ?? k) is { } v ? $"{v.GetType().Name}{Values.Display(v)}" : ""))
        : "";
}
