namespace Podhost.Runtime.Images.Layers;

/// <summary>
/// Reads a tar stream forward: v7, ustar, PAX and GNU long names. Every size that the stream names is bounded before memory is
/// taken for it. The caller reads an entry's data with <see cref="ReadData"/>; what it leaves is skipped.
/// </summary>
internal sealed class TarStreamReader(Stream stream)
{
    // PATH_MAX; longer names could not be created anyway.
    private const int MaxName = 4096;
    private const int MaxExtendedHeader = 1024 * 1024;
    private const int RegularOldType = 0;
    private const byte SparseOldType = (byte)'S';

    private readonly byte[] _block = new byte[TarFormat.BlockSize];
    private long _remaining;
    private int _padding;

    /// <summary>The next entry; null at the end of the archive, after which the stream is read to its end.</summary>
    public TarEntry? ReadNext()
    {
        PaxRecords? pax = null;
        byte[]? longName = null, longLink = null;
        while (true)
        {
            Skip();
            if (!ReadHeader())
            {
                return pax is null && longName is null && longLink is null ? null : throw TarFormat.Broken("it ends after an extended header");
            }

            var type = _block[156];
            var size = TarFormat.Number(_block.AsSpan(124, 12));
            switch (type)
            {
                case (byte)'x':
                    pax = PaxRecords.Parse(ReadExtended(size, MaxExtendedHeader));
                    break;
                case (byte)'g':
                    ReadExtended(size, MaxExtendedHeader);
                    break;
                case (byte)'L':
                    longName = TarFormat.Text(ReadExtended(size, MaxName + 1)).ToArray();
                    break;
                case (byte)'K':
                    longLink = TarFormat.Text(ReadExtended(size, MaxName + 1)).ToArray();
                    break;
                default:
                    return Entry(type, size, pax, pax?.Sparse?.Name ?? pax?.Path ?? longName, pax?.LinkPath ?? longLink);
            }
        }
    }

    /// <summary>Reads data of the current entry; 0 at its end.</summary>
    public int ReadData(Span<byte> buffer)
    {
        if (_remaining == 0)
        {
            return 0;
        }

        var count = stream.Read(buffer[..(int)Math.Min(buffer.Length, _remaining)]);
        if (count == 0)
        {
            throw TarFormat.Broken("unexpected end of the stream");
        }

        _remaining -= count;
        return count;
    }

    private TarEntry Entry(byte type, long headerSize, PaxRecords? pax, byte[]? longName, byte[]? longLink)
    {
        var header = _block.AsSpan();
        var name = longName ?? HeaderName(header);
        var link = longLink ?? TarFormat.Text(header.Slice(157, 100)).ToArray();
        var kind = Kind(type, name);
        var archived = kind == TarEntryKind.RegularFile ? pax?.Size ?? headerSize : 0;
        // Only regular files carry data, whatever a header says.
        var sparse = kind == TarEntryKind.RegularFile ? ReadSparse(type, archived, pax?.Sparse) : null;
        var isDevice = kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice;
        var entry = new TarEntry
        {
            Kind = kind,
            Name = CheckName(name),
            LinkName = kind is TarEntryKind.HardLink or TarEntryKind.SymbolicLink ? CheckName(link) : [],
            Permissions = (int)(TarFormat.Number(header.Slice(100, 8)) & 0xFFF),
            Uid = Id(pax?.Uid ?? TarFormat.Number(header.Slice(108, 8))),
            Gid = Id(pax?.Gid ?? TarFormat.Number(header.Slice(116, 8))),
            Size = sparse?.Size ?? archived,
            Sparse = sparse?.Map,
            MtimeSeconds = pax?.Mtime?.Seconds ?? TarFormat.Number(header.Slice(136, 12)),
            MtimeNanoseconds = pax?.Mtime?.Nanoseconds ?? 0,
            DeviceMajor = isDevice ? DeviceNumber(header.Slice(329, 8)) : 0,
            DeviceMinor = isDevice ? DeviceNumber(header.Slice(337, 8)) : 0,
            ExtendedAttributes = pax?.Attributes ?? [],
        };
        if (sparse is null)
        {
            Begin(archived);
        }

        return entry;
    }

    // Leaves the reader at the first byte of data.
    private (long Size, IReadOnlyList<SparseRegion> Map)? ReadSparse(byte type, long archived, PaxSparse? pax)
    {
        var regions = pax?.Regions ?? [];
        long size;
        if (type == SparseOldType)
        {
            size = SparseMap.RealSize(_block);
            ReadExtensions(regions);
            Begin(archived);
        }
        else if (pax is not null)
        {
            pax.Check();
            size = pax.RealSize!.Value;
            Begin(archived);
            regions = pax.MapIsInData ? SparseMap.Read(ReadDataBlock) : regions;
        }
        else
        {
            return null;
        }

        return (size, SparseMap.Check(regions, size, _remaining));
    }

    private void ReadExtensions(List<SparseRegion> regions)
    {
        var extension = new byte[TarFormat.BlockSize];
        for (var more = SparseMap.AddHeader(_block, regions); more; more = SparseMap.AddExtension(extension, regions))
        {
            if (stream.ReadAtLeast(extension, extension.Length, throwOnEndOfStream: false) < extension.Length)
            {
                throw TarFormat.Broken("unexpected end of the stream");
            }
        }
    }

    private void ReadDataBlock(Span<byte> block)
    {
        for (var filled = 0; filled < block.Length;)
        {
            var count = ReadData(block[filled..]);
            filled += count > 0 ? count : throw TarFormat.Broken("a sparse file's map ends early");
        }
    }

    private static TarEntryKind Kind(byte type, byte[] name) => type switch
    {
        (byte)'0' or (byte)'7' or SparseOldType or RegularOldType => name is [.., (byte)'/'] ? TarEntryKind.Directory : TarEntryKind.RegularFile,
        (byte)'1' => TarEntryKind.HardLink,
        (byte)'2' => TarEntryKind.SymbolicLink,
        (byte)'3' => TarEntryKind.CharacterDevice,
        (byte)'4' => TarEntryKind.BlockDevice,
        (byte)'5' => TarEntryKind.Directory,
        (byte)'6' => TarEntryKind.Fifo,
        _ => throw TarFormat.Broken($"unknown entry type 0x{type:x2}"),
    };

    private static byte[] HeaderName(ReadOnlySpan<byte> header)
    {
        var name = TarFormat.Text(header[..100]);
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? TarFormat.Text(header.Slice(345, 155)) : default;
        return prefix.Length == 0 ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    private static byte[] CheckName(byte[] name) =>
        name.Length is > 0 and <= MaxName && Array.IndexOf(name, (byte)0) < 0
            ? name
            : throw TarFormat.Broken("a name is empty, too long or contains NUL");

    private static uint Id(long id) => id < uint.MaxValue ? (uint)id : throw TarFormat.Broken("an owner is too large");

    private static uint DeviceNumber(ReadOnlySpan<byte> field)
    {
        var number = TarFormat.Number(field);
        return number <= 0xfffff ? (uint)number : throw TarFormat.Broken("a device number is too large");
    }

    private bool ReadHeader()
    {
        if (!ReadBlock(allowEnd: true))
        {
            return false;
        }

        if (TarFormat.IsZero(_block))
        {
            if (ReadBlock(allowEnd: true) && !TarFormat.IsZero(_block))
            {
                throw TarFormat.Broken("data after an empty block");
            }

            return false;
        }

        return TarFormat.ChecksumFits(_block) ? true : throw TarFormat.Broken("a header has a wrong checksum");
    }

    private bool ReadBlock(bool allowEnd)
    {
        var count = stream.ReadAtLeast(_block, _block.Length, throwOnEndOfStream: false);
        return count == _block.Length || (count == 0 && allowEnd ? false : throw TarFormat.Broken("unexpected end of the stream"));
    }

    private byte[] ReadExtended(long size, int limit)
    {
        if (size < 0 || size > limit)
        {
            throw TarFormat.Broken("an extended header is too large");
        }

        Begin(size);
        var data = new byte[size];
        for (var filled = 0; filled < data.Length;)
        {
            filled += ReadData(data.AsSpan(filled));
        }

        return data;
    }

    private void Begin(long size)
    {
        if (size < 0)
        {
            throw TarFormat.Broken("a size is negative");
        }

        _remaining = size;
        _padding = (int)((TarFormat.BlockSize - size % TarFormat.BlockSize) % TarFormat.BlockSize);
    }

    private void Skip()
    {
        Span<byte> waste = stackalloc byte[8192];
        while (_remaining > 0)
        {
            ReadData(waste);
        }

        for (; _padding > 0;)
        {
            var count = stream.Read(waste[.._padding]);
            _padding -= count > 0 ? count : throw TarFormat.Broken("unexpected end of the stream");
        }
    }
}
