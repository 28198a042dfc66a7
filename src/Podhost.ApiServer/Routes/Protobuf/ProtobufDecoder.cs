using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.ApiServer.Routes.Protobuf;

/// <summary>Messages of the API as the JSON that the same client would have sent. Driven by the schema and its field numbers.</summary>
internal static class ProtobufDecoder
{
    private const int MaxDepth = 64;

    /// <summary>Decodes a message of a type.</summary>
    /// <exception cref="FormatException">The data is broken, or has a field that is not known here.</exception>
    public static JsonObject Decode(SchemaType type, ReadOnlySpan<byte> data)
    {
        var obj = new JsonObject();
        ReadMessage(obj, type, type.Name, data, 0);
        return obj;
    }

    /// <summary>As <see cref="Decode(SchemaType, ReadOnlySpan{byte})"/>, for a message inside another one.</summary>
    internal static JsonObject Decode(SchemaType type, ReadOnlySpan<byte> data, int depth)
    {
        var obj = new JsonObject();
        ReadMessage(obj, type, type.Name, data, depth);
        return obj;
    }

    private static void ReadMessage(JsonObject obj, SchemaType type, string message, ReadOnlySpan<byte> data, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FormatException("proto: messages are nested too deeply");
        }

        var fields = FieldNumbers.Of(message) ?? throw new FormatException($"proto: the type {message} is not supported in protobuf; send JSON");
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            var (number, wire) = reader.ReadTag();
            if (!fields.TryGetValue(number, out var field))
            {
                // Go sends unset strings and numbers too: only what carries something would be lost.
                if (!reader.Skip(wire))
                {
                    throw new FormatException($"proto: field {number} of {type.ShortName} is not supported in protobuf; send JSON");
                }
            }
            else if (field.Inlined is not null)
            {
                ReadMessage(obj, type, field.Inlined, reader.ReadBytes(), depth + 1);
            }
            else if (type.Field(field.Name) is { } schema)
            {
                ReadField(obj, schema, field, ref reader, wire, depth);
            }
            else
            {
                throw new FormatException($"proto: {type.ShortName} has no field {field.Name}");
            }
        }
    }

    private static void ReadField(
        JsonObject obj, SchemaField schema, ProtobufField field, ref WireReader reader, WireType wire, int depth)
    {
        var value = schema.Value;
        if (field.Form.Length > 0)
        {
            Expect(wire, WireType.Bytes);
            SchemaForms.Read(obj, field, reader.ReadBytes(), depth + 1);
            return;
        }

        switch (value.Kind)
        {
            case SchemaKind.List:
                var list = obj[field.Name] as JsonArray;
                if (list is null)
                {
                    obj[field.Name] = list = [];
                }

                ReadItems(list, value.Item!, ref reader, wire, depth);
                return;
            case SchemaKind.Map:
                var map = obj[field.Name] as JsonObject;
                if (map is null)
                {
                    obj[field.Name] = map = [];
                }

                ReadEntry(map, value.Item!, reader.ReadBytes(), depth);
                return;
        }

        var node = ReadValue(value, ref reader, wire, depth);
        if (node is not null && (schema.Required || !IsUnset(node, field)))
        {
            obj[field.Name] = node;
        }
    }

    private static void ReadItems(JsonArray list, SchemaValue item, ref WireReader reader, WireType wire, int depth)
    {
        if (wire == WireType.Bytes && item.Kind is SchemaKind.Integer or SchemaKind.Boolean)
        {
            var packed = new WireReader(reader.ReadBytes());
            while (!packed.IsAtEnd)
            {
                list.Add(ReadValue(item, ref packed, WireType.Varint, depth));
            }

            return;
        }

        list.Add(ReadValue(item, ref reader, wire, depth));
    }

    private static void ReadEntry(JsonObject map, SchemaValue item, ReadOnlySpan<byte> data, int depth)
    {
        var key = "";
        JsonNode? value = null;
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            switch (reader.ReadTag())
            {
                case (1, WireType.Bytes):
                    key = Text(reader.ReadBytes());
                    break;
                case (2, var wire):
                    value = item.Kind == SchemaKind.List ? ReadWrappedList(item.Item!, reader.ReadBytes(), depth) : ReadValue(item, ref reader, wire, depth);
                    break;
                default:
                    throw new FormatException("proto: unexpected field of a map entry");
            }
        }

        map[key] = value ?? (item.Kind is SchemaKind.String or SchemaKind.Bytes ? "" : null);
    }

    // A list as a map's value is a message with one repeated field (ExtraValue).
    private static JsonArray ReadWrappedList(SchemaValue item, ReadOnlySpan<byte> data, int depth)
    {
        var list = new JsonArray();
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            var (_, wire) = reader.ReadTag();
            list.Add(ReadValue(item, ref reader, wire, depth));
        }

        return list;
    }

    private static JsonNode? ReadValue(SchemaValue value, ref WireReader reader, WireType wire, int depth)
    {
        switch (value.Kind)
        {
            case SchemaKind.String:
                Expect(wire, WireType.Bytes);
                return Text(reader.ReadBytes());
            case SchemaKind.Bytes:
                Expect(wire, WireType.Bytes);
                return Convert.ToBase64String(reader.ReadBytes());
            case SchemaKind.Integer:
                Expect(wire, WireType.Varint);
                return (long)reader.ReadVarint();
            case SchemaKind.Boolean:
                Expect(wire, WireType.Varint);
                return reader.ReadVarint() != 0;
            case SchemaKind.Number:
                Expect(wire, WireType.Fixed64);
                return reader.ReadDouble();
        }

        Expect(wire, WireType.Bytes);
        var data = reader.ReadBytes();
        if (value.Kind == SchemaKind.Object)
        {
            var obj = new JsonObject();
            ReadMessage(obj, value.Type!, value.Type!.Name, data, depth + 1);
            return obj;
        }

        return WellKnown(value.Kind, data);
    }

    private static JsonNode? WellKnown(SchemaKind kind, ReadOnlySpan<byte> data)
    {
        var scalars = Scalars.Read(data);
        switch (kind)
        {
            case SchemaKind.Quantity:
                return scalars.First.Length == 0 ? null : scalars.First;
            case SchemaKind.IntOrString:
                return scalars.Numbers[1] == 0 ? (JsonNode)scalars.Numbers[2] : scalars.Third;
            case SchemaKind.DateTime or SchemaKind.MicroTime:
                return data.IsEmpty ? null : Time(scalars.Numbers[1], scalars.Numbers[2], kind == SchemaKind.MicroTime);
            case SchemaKind.Any:
                return scalars.First.Length == 0 ? null : ParseJson(scalars.First);
            default:
                throw new FormatException($"proto: {kind} is not supported in protobuf; send JSON");
        }
    }

    private static JsonNode? ParseJson(string text)
    {
        try
        {
            return JsonNode.Parse(text, nodeOptions: null, new JsonDocumentOptions { MaxDepth = 64 });
        }
        catch (JsonException e)
        {
            throw new FormatException("proto: a raw value is not JSON: " + e.Message, e);
        }
    }

    private static string Time(long seconds, long nanos, bool micro)
    {
        try
        {
            var t = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanos / 100);
            return t.UtcDateTime.ToString(micro ? "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'" : "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new FormatException("proto: a time is out of range", e);
        }
    }

    private static bool IsUnset(JsonNode node, ProtobufField field) => node switch
    {
        JsonValue v when v.TryGetValue(out string? s) => s.Length == 0 && !field.EmptyIsSet,
        JsonValue v when v.TryGetValue(out long n) => n == 0 && field.ZeroIsUnset,
        JsonValue v when v.TryGetValue(out bool b) => !b && field.ZeroIsUnset,
        _ => false,
    };

    private static void Expect(WireType actual, WireType wanted)
    {
        if (actual != wanted)
        {
            throw new FormatException($"proto: wrong wire type {(int)actual}");
        }
    }

    private static string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException("proto: a string is not UTF-8", e);
        }
    }

    /// <summary>The few fields of the messages that JSON shows as one value.</summary>
    private readonly struct Scalars
    {
        private Scalars(string first, string third, long[] numbers) => (First, Third, Numbers) = (first, third, numbers);

        public string First { get; }

        public string Third { get; }

        /// <summary>Numbers by field, from 1 to 3.</summary>
        public long[] Numbers { get; }

        public static Scalars Read(ReadOnlySpan<byte> data)
        {
            var texts = new[] { "", "", "", "" };
            var numbers = new long[4];
            var reader = new WireReader(data);
            while (!reader.IsAtEnd)
            {
                var (number, wire) = reader.ReadTag();
                if (number > 3)
                {
                    reader.Skip(wire);
                }
                else if (wire == WireType.Bytes)
                {
                    texts[number] = Text(reader.ReadBytes());
                }
                else
                {
                    Expect(wire, WireType.Varint);
                    numbers[number] = (long)reader.ReadVarint();
                }
            }

            return new Scalars(texts[1], texts[3], numbers);
        }
    }
}
