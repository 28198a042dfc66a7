using System.Buffers.Text;
using System.Text.Json;

namespace Podhost.ApiServer.WatchCache;

/// <summary>Between the stored bytes of an object, which know no resourceVersion, and the bytes that clients see.</summary>
internal static class ExternalForm
{
    private static ReadOnlySpan<byte> Name => "\"resourceVersion\":\""u8;

    /// <summary>The bytes with metadata.resourceVersion set as the first field of metadata; one copy, no reserialization.</summary>
    /// <exception cref="JsonException">The bytes are no object with metadata.</exception>
    public static byte[] WithRevision(ReadOnlySpan<byte> utf8, long revision)
    {
        var start = MetadataStart(utf8);
        var rest = utf8[start..];
        if (rest.StartsWith(Name))
        {
            var end = rest[Name.Length..].IndexOf((byte)'"') + Name.Length + 1;
            rest = rest[end..];
            rest = rest[0] == (byte)',' ? rest[1..] : rest;
        }

        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(revision, digits, out var count);
        var comma = rest[0] == (byte)'}' ? 0 : 1;
        var result = new byte[start + Name.Length + count + 1 + comma + rest.Length];
        var to = result.AsSpan();
        utf8[..start].CopyTo(to);
        to = to[start..];
        Name.CopyTo(to);
        to = to[Name.Length..];
        digits[..count].CopyTo(to);
        to = to[count..];
        to[0] = (byte)'"';
        if (comma == 1)
        {
            to[1] = (byte)',';
        }

        rest.CopyTo(to[(1 + comma)..]);
        return result;
    }

    // The offset of the first byte after the brace that opens metadata. What the server writes has it third, so few tokens are read.
    private static int MetadataStart(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 256 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            if (found && reader.TokenType == JsonTokenType.StartObject)
            {
                return (int)reader.BytesConsumed;
            }

            reader.Skip();
        }

        throw new JsonException("the object has no metadata");
    }
}
