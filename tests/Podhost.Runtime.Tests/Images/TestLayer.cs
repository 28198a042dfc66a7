using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Podhost.Runtime.Tests.Images;

/// <summary>Builds the tar of a layer, entry by entry; hostile ones included.</summary>
internal sealed class TestLayer
{
    private readonly MemoryStream _stream = new();
    private readonly TarWriter _writer;

    public TestLayer() => _writer = new TarWriter(_stream, TarEntryFormat.Pax, leaveOpen: true);

    public TestLayer File(string name, string content, UnixFileMode mode = (UnixFileMode)0x1A4, int uid = 0, int gid = 0) =>
        File(name, Encoding.UTF8.GetBytes(content), mode, uid, gid);

    public TestLayer File(string name, byte[] content, UnixFileMode mode = (UnixFileMode)0x1A4, int uid = 0, int gid = 0) =>
        Add(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), Mode = mode, Uid = uid, Gid = gid });

    public TestLayer Directory(string name, UnixFileMode mode = (UnixFileMode)0x1ED, int uid = 0, int gid = 0) =>
        Add(new PaxTarEntry(TarEntryType.Directory, name) { Mode = mode, Uid = uid, Gid = gid });

    public TestLayer SymbolicLink(string name, string target) => Add(new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = target });

    public TestLayer HardLink(string name, string target) => Add(new PaxTarEntry(TarEntryType.HardLink, name) { LinkName = target });

    public TestLayer Device(string name, int major, int minor) =>
        Add(new PaxTarEntry(TarEntryType.CharacterDevice, name) { DeviceMajor = major, DeviceMinor = minor });

    public TestLayer Fifo(string name) => Add(new PaxTarEntry(TarEntryType.Fifo, name));

    /// <summary>Appends raw bytes of a tar: headers that a writer would not make.</summary>
    public TestLayer Raw(byte[] bytes)
    {
        _stream.Write(bytes);
        return this;
    }

    /// <summary>A file with a PAX header whose records are the given bytes.</summary>
    public TestLayer FileWithPax(string name, byte[] records)
    {
        Raw(Block("pax", 'x', records.Length)).Raw(Padded(records));
        return Raw(Block(name, '0', 0));
    }

    public byte[] Tar()
    {
        var end = _stream.Position;
        _stream.Write(new byte[1024]);
        var bytes = _stream.ToArray();
        _stream.SetLength(end);
        return bytes;
    }

    public static byte[] Gzip(byte[] tar)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return result.ToArray();
    }

    public static byte[] Zstd(byte[] tar)
    {
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(tar).ToArray();
    }

    /// <summary>A ustar header.</summary>
    public static byte[] Block(string name, char type, long size, string link = "")
    {
        var block = new byte[512];
        Encoding.UTF8.GetBytes(name).CopyTo(block, 0);
        Encoding.ASCII.GetBytes("0000644\0" + "0000000\0" + "0000000\0").CopyTo(block, 100);
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0') + "\0" + "00000000000\0").CopyTo(block, 124);
        block[156] = (byte)type;
        Encoding.UTF8.GetBytes(link).CopyTo(block, 157);
        Encoding.ASCII.GetBytes("ustar\0" + "00").CopyTo(block, 257);
        Encoding.ASCII.GetBytes("        ").CopyTo(block, 148);
        Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(b => (int)b), 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);
        return block;
    }

    public static byte[] PaxRecord(string key, byte[] value)
    {
        var rest = 1 + key.Length + 1 + value.Length + 1;
        var length = rest + rest.ToString().Length;
        length = rest + length.ToString().Length;
        return [.. Encoding.UTF8.GetBytes($"{length} {key}="), .. value, (byte)'\n'];
    }

    private static byte[] Padded(byte[] data) => [.. data, .. new byte[(512 - data.Length % 512) % 512]];

    private TestLayer Add(PaxTarEntry entry)
    {
        _writer.WriteEntry(entry);
        return this;
    }
}
