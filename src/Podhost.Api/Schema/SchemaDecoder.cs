using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Api.Schema;

/// <summary>Reads JSON by a schema.</summary>
internal sealed class SchemaDecoder(List<string> problems)
{
    // As many as upstream's strict decoder collects before it gives up counting.
    private const int MaxProblems = 100;

    private readonly FieldPath path = new();

    public JsonObject ReadObject(ref Utf8JsonReader reader, SchemaType type)
    {
        var obj = new JsonObject();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            path.Push(name);
            if (!seen.Add(name))
            {
                Report("duplicate");
            }

            if (type.Field(name) is { } field)
            {
                path.Struct = type.ShortName;
                Set(obj, name, reader.TokenType == JsonTokenType.Null ? null : OmitEmpty(field, ReadValue(ref reader, field.Value)));
            }
            else
            {
                Report("unknown");
                reader.Skip();
            }

            path.Pop();
        }

        return obj;
    }

    // Lists and maps are encoded with omitempty, unless they are required. (Objects are not: emptyDir: {} means something.)
    private static JsonNode? OmitEmpty(SchemaField field, JsonNode? value) => value switch
    {
        JsonArray { Count: 0 } when !field.Required => null,
        JsonObject { Count: 0 } when !field.Required && field.Value.Kind == SchemaKind.Map => null,
        _ => value,
    };

    private static void Set(JsonObject obj, string name, JsonNode? value)
    {
        obj.Remove(name);
        if (value is not null)
        {
            obj.Add(name, value);
        }
    }

    private JsonNode? ReadValue(ref Utf8JsonReader reader, SchemaValue value)
    {
        switch (value.Kind)
        {
            case SchemaKind.Object:
                Demand(ref reader, JsonTokenType.StartObject, value);
                return ReadObject(ref reader, value.Type!);
            case SchemaKind.List:
                Demand(ref reader, JsonTokenType.StartArray, value);
                return ReadList(ref reader, value.Item!);
            case SchemaKind.Map:
                Demand(ref reader, JsonTokenType.StartObject, value);
                return ReadMap(ref reader, value.Item!);
            case SchemaKind.Any:
                return ReadAny(ref reader);
            default:
                try
                {
                    return ScalarDecoder.Read(ref reader, value, path);
                }
                catch (DecodeException e) when (e.Field.Length == 0)
                {
                    throw new DecodeException(e.Message, path.ToString());
                }
        }
    }

    private JsonArray ReadList(ref Utf8JsonReader reader, SchemaValue item)
    {
        var list = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            path.PushIndex(list.Count);
            list.Add(reader.TokenType == JsonTokenType.Null ? ZeroOf(item) : ReadValue(ref reader, item));
            path.Pop();
        }

        return list;
    }

    private JsonObject ReadMap(ref Utf8JsonReader reader, SchemaValue item)
    {
        var map = new JsonObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            path.Push(key);
            if (map.ContainsKey(key))
            {
                Report("duplicate");
            }

            map[key] = reader.TokenType == JsonTokenType.Null ? ZeroOf(item) : ReadValue(ref reader, item);
            path.Pop();
        }

        return map;
    }

    // A null item decodes to the zero value of its type.
    private static JsonNode? ZeroOf(SchemaValue item) => item.Kind switch
    {
        SchemaKind.String => JsonValue.Create(""),
        SchemaKind.Quantity => JsonValue.Create("0"),
        SchemaKind.Bytes => JsonValue.Create(""),
        SchemaKind.Integer or SchemaKind.Number or SchemaKind.IntOrString => JsonValue.Create(0),
        SchemaKind.Boolean => JsonValue.Create(false),
        SchemaKind.Object or SchemaKind.Map => new JsonObject(),
        SchemaKind.List => new JsonArray(),
        _ => null,
    };

    // Free-form values keep everything, but not twice.
    private JsonNode? ReadAny(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return JsonNode.Parse(ref reader);
        }

        var obj = new JsonObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            obj[key] = ReadAny(ref reader);
        }

        return obj;
    }

    private void Demand(ref Utf8JsonReader reader, JsonTokenType token, SchemaValue value)
    {
        if (reader.TokenType != token)
        {
            throw path.CannotUnmarshal(JsonTypes.Describe(ref reader), value);
        }
    }

    private void Report(string what)
    {
        if (problems.Count < MaxProblems)
        {
            problems.Add($"{what} field \"{path}\"");
        }
    }
}
