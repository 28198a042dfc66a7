using System.IO.Compression;
using System.Security.Cryptography;

namespace Podhost.Api.OpenApi;

/// <summary>A document kept compressed: it is asked for a few times in the life of a process.</summary>
internal sealed class CompressedDocument
{
    private readonly byte[] compressed;
    private readonly int length;

    public CompressedDocument(byte[] body)
    {
        length = body.Length;
        Hash = Convert.ToHexString(SHA512.HashData(body));
        var buffer = new byte[BrotliEncoder.GetMaxCompressedLength(body.Length)];
        if (!BrotliEncoder.TryCompress(body, buffer, out var written, quality: 4, window: 18))
        {
            throw new InvalidOperationException("the document could not be compressed");
        }

        compressed = buffer[..written];
    }

    public string Hash { get; }

    public OpenApiDocument Open()
    {
        var body = new byte[length];
        return BrotliDecoder.TryDecompress(compressed, body, out var written) && written == length
            ? new OpenApiDocument(body, Hash)
            : throw new InvalidDataException("the document could not be decompressed");
    }
}
