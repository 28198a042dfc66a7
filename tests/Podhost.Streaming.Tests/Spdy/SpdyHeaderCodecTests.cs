using System.Buffers.Binary;
using CsCheck;
using ICSharpCode.SharpZipLib.Zip.Compression;
using Podhost.Streaming.Spdy;

namespace Podhost.Streaming.Tests.Spdy;

public sealed class SpdyHeaderCodecTests
{
    private static readonly Gen<(string, string)[]> Blocks =
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 1, 20], Gen.String[Gen.Char['\u0001', '\u00ff'], 0, 200]).Array[0, 20];

    [Fact]
    public void What_is_encoded_decodes_block_after_block() =>
        Blocks.Array[1, 10].Sample(
            blocks =>
            {
                var encoder = new SpdyHeaderEncoder();
                var decoder = new SpdyHeaderDecoder(new SpdyLimits());
                foreach (var block in blocks)
                {
                    var headers = Headers(block);
                    var decoded = decoder.Decode(encoder.Encode(headers));
                    Assert.Equal(headers.Pairs.Order(), decoded.Pairs.Order());
                }
            },
            iter: 300);

    [Fact]
    public void Hostile_bytes_end_in_a_protocol_error_or_in_headers() =>
        Gen.Byte.Array[0, 300].Sample(bytes => AssertContained(bytes), iter: 5000);

    [Fact]
    public void A_damaged_block_ends_in_a_protocol_error_or_in_headers() =>
        Gen.Select(Blocks, Gen.Int[0, 10_000], Gen.Byte).Sample(
            (block, position, value) =>
            {
                var bytes = new SpdyHeaderEncoder().Encode(Headers(block));
                bytes[position % bytes.Length] ^= value;
                AssertContained(bytes);
            },
            iter: 5000);

    [Fact]
    public void A_bomb_is_refused()
    {
        var plain = new byte[4 + 4 + (50 * 1024 * 1024)];
        BinaryPrimitives.WriteInt32BigEndian(plain, 1);
        BinaryPrimitives.WriteInt32BigEndian(plain.AsSpan(4), plain.Length - 8);
        var deflater = new Deflater(9);
        deflater.SetDictionary(SpdyDictionary.Bytes);
        deflater.SetInput(plain);
        deflater.Flush();
        var packed = new byte[1024 * 1024];
        var n = deflater.Deflate(packed);
        var e = Assert.Throws<SpdyProtocolException>(() => new SpdyHeaderDecoder(new SpdyLimits()).Decode(packed.AsSpan(0, n)));
        Assert.Contains("over 65536 bytes", e.Message);
    }

    [Fact]
    public void A_repeated_name_is_refused() =>
        Assert.Throws<SpdyProtocolException>(() => new SpdyHeaders().Add("port", "1").Add("PORT", "2"));

    private static SpdyHeaders Headers((string, string)[] pairs)
    {
        var headers = new SpdyHeaders();
        foreach (var (name, value) in pairs.DistinctBy(p => p.Item1))
        {
            headers.Add(name, value);
        }

        return headers;
    }

    private static void AssertContained(byte[] bytes)
    {
        try
        {
            new SpdyHeaderDecoder(new SpdyLimits()).Decode(bytes);
        }
        catch (SpdyProtocolException)
        {
            // The only failure there may be.
        }
    }
}
