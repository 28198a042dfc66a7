using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Quantities;

namespace Podhost.Api.Schema;

/// <summary>Reads scalars, each in the form that upstream writes.</summary>
internal static class ScalarDecoder
{
    public static JsonNode Read(ref Utf8JsonReader reader, SchemaValue value, FieldPath path)
    {
        switch (value.Kind, reader.TokenType)
        {
            case (SchemaKind.String or SchemaKind.IntOrString, JsonTokenType.String):
                return JsonValue.Create(reader.GetString()!);
            case (SchemaKind.Boolean, JsonTokenType.True or JsonTokenType.False):
                return JsonValue.Create(reader.GetBoolean());
            case (SchemaKind.Integer, JsonTokenType.Number):
                return ReadInteger(ref reader, value, path);
            case (SchemaKind.IntOrString, JsonTokenType.Number) when reader.TryGetInt32(out var number):
                return JsonValue.Create(number);
            case (SchemaKind.Number, JsonTokenType.Number):
                return JsonValue.Create(reader.GetDouble());
            case (SchemaKind.Quantity, JsonTokenType.Number or JsonTokenType.String):
                return ReadQuantity(ref reader);
            case (SchemaKind.DateTime or SchemaKind.MicroTime, JsonTokenType.String):
                return ReadTime(ref reader, value.Kind == SchemaKind.MicroTime);
            case (SchemaKind.Bytes, JsonTokenType.String):
                return ReadBytes(ref reader);
            default:
                throw path.CannotUnmarshal(JsonTypes.Describe(ref reader), value);
        }
    }

    private static JsonValue ReadInteger(ref Utf8JsonReader reader, SchemaValue value, FieldPath path)
    {
        if (reader.TryGetInt64(out var number) && (value.Format != "int32" || number is >= int.MinValue and <= int.MaxValue))
        {
            return JsonValue.Create(number);
        }

        throw path.CannotUnmarshal(JsonTypes.DescribeNumber(ref reader), value);
    }

    private static JsonValue ReadQuantity(ref Utf8JsonReader reader)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()!.Trim() : Encoding.UTF8.GetString(reader.ValueSpan);
        try
        {
            return JsonValue.Create(Quantity.Parse(text).ToString());
        }
        catch (FormatException e)
        {
            throw new DecodeException(e.Message);
        }
    }

    private static JsonValue ReadTime(ref Utf8JsonReader reader, bool micro)
    {
        var text = reader.GetString()!;
        var layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
        if (!reader.TryGetDateTimeOffset(out var time) || !text.Contains('T', StringComparison.Ordinal) || text[^1] is not 'Z' && text[^3] != ':')
        {
            throw new DecodeException($"parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\"");
        }

        var format = micro ? "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'" : "yyyy-MM-dd'T'HH:mm:ss'Z'";
        return JsonValue.Create(time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture));
    }

    private static JsonValue ReadBytes(ref Utf8JsonReader reader)
    {
        var text = reader.GetString()!;
        if (!reader.TryGetBytesFromBase64(out _))
        {
            throw new DecodeException("illegal base64 data at input byte " + FirstIllegal(text).ToString(CultureInfo.InvariantCulture));
        }

        return JsonValue.Create(text);
    }

    private static int FirstIllegal(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiLetterOrDigit(text[i]) && text[i] is not ('+' or '/' or '='))
            {
                return i;
            }
        }

        return text.Length / 4 * 4;
    }
}
