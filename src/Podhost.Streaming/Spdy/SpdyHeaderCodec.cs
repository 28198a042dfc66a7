using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.Zip.Compression;

namespace Podhost.Streaming.Spdy;

/// <summary>Reads header blocks. One zlib context serves all blocks of a direction, so every block must be decoded, in order.</summary>
internal sealed class SpdyHeaderDecoder(SpdyLimits limits)
{
    private readonly Inflater inflater = new(noHeader: false);

    /// <summary>Decodes one compressed block.</summary>
    /// <exception cref="SpdyProtocolException">It is malformed or over a bound; the context is lost and the connection must end.</exception>
    public SpdyHeaders Decode(ReadOnlySpan<byte> compressed)
    {
        var plain = Inflate(compressed);
        return Parse(plain);
    }

    private byte[] Inflate(ReadOnlySpan<byte> compressed)
    {
        var output = new ArrayBufferWriter<byte>(256);
        var chunk = new byte[4096];
        try
        {
            inflater.SetInput(compressed.ToArray());
            while (true)
            {
                var n = inflater.Inflate(chunk);
                if (n > 0)
                {
                    output.Write(chunk.AsSpan(0, n));
                    if (output.WrittenCount > limits.MaxHeaderBlock)
                    {
                        throw new SpdyProtocolException($"header block over {limits.MaxHeaderBlock} bytes");
                    }
                }
                else if (inflater.IsNeedingDictionary)
                {
                    inflater.SetDictionary(SpdyDictionary.Bytes);
                }
                else
                {
                    // Either all input is used, or the stream ended: a further block would then fail as malformed.
                    return output.WrittenSpan.ToArray();
                }
            }
        }
        catch (Exception e) when (e is SharpZipBaseException or ArgumentException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new SpdyProtocolException("malformed compressed header block: " + e.Message);
        }
    }

    private SpdyHeaders Parse(ReadOnlySpan<byte> plain)
    {
        var count = ReadLength(ref plain);
        if (count > limits.MaxHeaders)
        {
            throw new SpdyProtocolException($"more than {limits.MaxHeaders} headers");
        }

        var headers = new SpdyHeaders();
        for (var i = 0; i < count; i++)
        {
            var name = ReadString(ref plain);
            headers.Add(name, ReadString(ref plain));
        }

        return headers;
    }

    private static int ReadLength(ref ReadOnlySpan<byte> plain)
    {
        if (plain.Length < 4)
        {
            throw new SpdyProtocolException("truncated header block");
        }

        var value = BinaryPrimitives.ReadUInt32BigEndian(plain);
        plain = plain[4..];
        return value <= int.MaxValue ? (int)value : throw new SpdyProtocolException("header length out of range");
    }

    private static string ReadString(ref ReadOnlySpan<byte> plain)
    {
        var length = ReadLength(ref plain);
        if (length > plain.Length)
        {
            throw new SpdyProtocolException("truncated header block");
        }

        var text = Encoding.Latin1.GetString(plain[..length]);
        plain = plain[length..];
        return text;
    }
}

/// <summary>Writes header blocks as stored deflate blocks.</summary>
/// <remarks>
/// Blocks that we send are nearly always empty, so compressing them buys nothing. Each block ends with an empty stored block (a sync flush):
/// Go's inflater, which every client uses, hands data out only there. SharpZipLib's deflater flushes with empty fixed blocks instead, which
/// leaves Go waiting for more.
/// </remarks>
internal sealed class SpdyHeaderEncoder
{
    private const int MaxStored = 65535;
    private static readonly byte[] SyncFlush = [0x00, 0x00, 0x00, 0xff, 0xff];
    private bool started;

    /// <summary>Encodes one block.</summary>
    public byte[] Encode(SpdyHeaders headers)
    {
        var plain = Plain(headers);
        var output = new ArrayBufferWriter<byte>(plain.Length + 32);
        if (!started)
        {
            started = true;
            WriteZlibHeader(output);
        }

        for (var rest = plain.AsSpan(); !rest.IsEmpty;)
        {
            var n = Math.Min(rest.Length, MaxStored);
            var head = output.GetSpan(5);
            head[0] = 0;
            BinaryPrimitives.WriteUInt16LittleEndian(head[1..], (ushort)n);
            BinaryPrimitives.WriteUInt16LittleEndian(head[3..], (ushort)~n);
            output.Advance(5);
            output.Write(rest[..n]);
            rest = rest[n..];
        }

        output.Write(SyncFlush);
        return output.WrittenSpan.ToArray();
    }

    private static void WriteZlibHeader(ArrayBufferWriter<byte> output)
    {
        // CMF: deflate, 32 KiB window. FLG: preset dictionary, and FCHECK so that CMF*256+FLG is a multiple of 31 (RFC 1950).
        const int Cmf = 0x78;
        const int Flag = 0x20;
        var check = 31 - (((Cmf * 256) + Flag) % 31);
        var head = output.GetSpan(6);
        head[0] = Cmf;
        head[1] = (byte)(Flag + check);
        BinaryPrimitives.WriteUInt32BigEndian(head[2..], Adler32(SpdyDictionary.Bytes));
        output.Advance(6);
    }

    private static byte[] Plain(SpdyHeaders headers)
    {
        var output = new ArrayBufferWriter<byte>(64);
        WriteLength(output, headers.Count);
        foreach (var (name, value) in headers.Pairs)
        {
            WriteString(output, name);
            WriteString(output, value);
        }

        return output.WrittenSpan.ToArray();
    }

    private static void WriteString(ArrayBufferWriter<byte> output, string text)
    {
        WriteLength(output, text.Length);
        output.Write(Encoding.Latin1.GetBytes(text));
    }

    private static void WriteLength(ArrayBufferWriter<byte> output, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    /// <summary>Adler-32 (RFC 1950 section 8.2).</summary>
    internal static uint Adler32(ReadOnlySpan<byte> data)
    {
        uint a = 1, b = 0;
        foreach (var value in data)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }

        return (b << 16) | a;
    }
}

/// <summary>Headers of a stream; names are lower case, several values of a name are joined by NUL on the wire.</summary>
internal sealed class SpdyHeaders
{
    private readonly Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Number of distinct names.</summary>
    public int Count => values.Count;

    /// <summary>Names in lower case with their raw values.</summary>
    public IEnumerable<(string Name, string Value)> Pairs => values.Select(p => (p.Key.ToLowerInvariant(), p.Value));

    /// <summary>The first value of a name, or null.</summary>
    public string? this[string name] => values.TryGetValue(name, out var value) ? value.Split('\0')[0] : null;

    /// <summary>Adds a pair.</summary>
    /// <exception cref="SpdyProtocolException">The name is empty or given twice (section 2.6.10).</exception>
    public SpdyHeaders Add(string name, string value)
    {
        if (name.Length == 0 || !values.TryAdd(name, value))
        {
            throw new SpdyProtocolException("empty or repeated header name");
        }

        return this;
    }
}
