using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Podhost.Api.Objects;

/// <summary>
/// JSON from outside, made readable as Go's encoding/json reads it: bytes that are no UTF-8 and escapes of half a surrogate pair become
/// U+FFFD. System.Text.Json would accept them at first and fail later, wherever the string is read.
/// </summary>
public static class JsonText
{
    // A name that occurs twice would be found only where the object is read.
    private static readonly JsonDocumentOptions Outside = new() { MaxDepth = 128, AllowDuplicateProperties = false };

    private static ReadOnlySpan<byte> Replacement => "\\ufffd"u8;

    /// <summary>Reads a document from outside.</summary>
    /// <exception cref="JsonException">It is no JSON, names a property twice, or is nested deeper than 128 levels.</exception>
    public static JsonNode? Parse(byte[] json) => JsonNode.Parse(Repair(json), nodeOptions: null, Outside);

    /// <summary>The same bytes where there is nothing to mend.</summary>
    public static byte[] Repair(byte[] json)
    {
        var isMine = !Utf8.IsValid(json);
        if (isMine)
        {
            json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json));
        }

        for (var at = 0; at < json.Length - 5; at++)
        {
            if (json[at] != '\\')
            {
                continue;
            }

            if (Surrogate(json, at) is not { } isHigh)
            {
                at++;
            }
            else if (isHigh && Surrogate(json, at + 6) == false)
            {
                at += 11;
            }
            else
            {
                json = isMine ? json : (byte[])json.Clone();
                isMine = true;
                Replacement.CopyTo(json.AsSpan(at));
                at += 5;
            }
        }

        return json;
    }

    /// <summary>True for a high surrogate's escape at this place, false for a low one's, null for anything else.</summary>
    private static bool? Surrogate(byte[] json, int at)
    {
        if (at + 6 > json.Length || json[at] != '\\' || json[at + 1] != 'u' || (json[at + 2] | 0x20) != 'd')
        {
            return null;
        }

        return (char)json[at + 3] switch
        {
            '8' or '9' or 'a' or 'A' or 'b' or 'B' => true,
            >= 'c' and <= 'f' or >= 'C' and <= 'F' => false,
            _ => null,
        };
    }
}
