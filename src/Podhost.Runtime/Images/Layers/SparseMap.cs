using System.Globalization;

namespace Podhost.Runtime.Images.Layers;

/// <summary>A part of a sparse file that has data; what lies between is zeros.</summary>
internal readonly record struct SparseRegion(long Offset, long Length);

/// <summary>
/// Where the data of a sparse file belongs, in the forms that GNU tar writes (GNU tar manual, "Storing Sparse Files"): the old one in the header,
/// PAX 0.0 and 0.1 in records, PAX 1.0 before the data. Pure.
/// </summary>
internal static class SparseMap
{
    // 16 MiB of memory; a file of that many parts is a gigabyte of alternating pages at the least.
    private const int MaxRegions = 1 << 20;
    private const int RegionBytes = 24;
    private const int InHeader = 4;
    private const int InExtension = 21;

    /// <summary>Regions of the old form's header; false at the end of the list.</summary>
    /// <param name="header">The header.</param>
    /// <param name="regions">Where they are added.</param>
    /// <returns>An extension block follows.</returns>
    public static bool AddHeader(ReadOnlySpan<byte> header, List<SparseRegion> regions)
    {
        Add(header.Slice(386, InHeader * RegionBytes), regions);
        return header[482] != 0;
    }

    /// <summary>The size of the whole file in the old form.</summary>
    public static long RealSize(ReadOnlySpan<byte> header) => TarFormat.Number(header.Slice(483, 12));

    /// <summary>Regions of an extension block of the old form.</summary>
    /// <returns>Another one follows.</returns>
    public static bool AddExtension(ReadOnlySpan<byte> block, List<SparseRegion> regions)
    {
        Add(block[..(InExtension * RegionBytes)], regions);
        return block[InExtension * RegionBytes] != 0;
    }

    /// <summary>Regions of the numbers of PAX 0.1, "offset,length,…".</summary>
    public static void AddText(ReadOnlySpan<byte> text, List<SparseRegion> regions)
    {
        while (text.Length > 0)
        {
            var offset = Number(Next(ref text, (byte)','));
            Add(regions, offset, Number(Next(ref text, (byte)',')));
        }
    }

    /// <summary>Adds one region.</summary>
    public static void Add(List<SparseRegion> regions, long offset, long length)
    {
        if (regions.Count == MaxRegions)
        {
            throw TarFormat.Broken("a sparse file has too many parts");
        }

        regions.Add(new SparseRegion(offset, length));
    }

    /// <summary>Reads the map of PAX 1.0 from the start of the data: lines of decimal numbers, the count first, filled up to whole blocks.</summary>
    /// <param name="readBlock">Reads a whole block of data.</param>
    public static List<SparseRegion> Read(Action<Span<byte>> readBlock)
    {
        var lines = new LineReader(readBlock);
        var count = lines.Next();
        if (count > MaxRegions)
        {
            throw TarFormat.Broken("a sparse file has too many parts");
        }

        var regions = new List<SparseRegion>();
        for (var i = 0L; i < count; i++)
        {
            var offset = lines.Next();
            regions.Add(new SparseRegion(offset, lines.Next()));
        }

        return regions;
    }

    /// <summary>The map, when the regions are in order, inside the file, and together as long as the data.</summary>
    public static IReadOnlyList<SparseRegion> Check(List<SparseRegion> regions, long realSize, long dataSize)
    {
        long end = 0, sum = 0;
        foreach (var (offset, length) in regions)
        {
            if (offset < end || length < 0 || length > realSize - offset)
            {
                throw TarFormat.Broken("the parts of a sparse file overlap or leave it");
            }

            end = offset + length;
            sum += length;
        }

        return sum == dataSize ? regions : throw TarFormat.Broken("the parts of a sparse file are not as long as its data");
    }

    /// <summary>A decimal number that is not negative.</summary>
    public static long Number(ReadOnlySpan<byte> text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw TarFormat.Broken("a sparse file's map is no list of numbers");

    // An empty entry ends the list; GNU tar also closes it with an empty region at the end of the file.
    private static void Add(ReadOnlySpan<byte> entries, List<SparseRegion> regions)
    {
        for (; entries.Length > 0 && entries[0] != 0; entries = entries[RegionBytes..])
        {
            Add(regions, TarFormat.Number(entries[..12]), TarFormat.Number(entries[12..RegionBytes]));
        }
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> text, byte separator)
    {
        var end = text.IndexOf(separator);
        var part = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return part;
    }

    private sealed class LineReader(Action<Span<byte>> readBlock)
    {
        private const int MaxDigits = 19;
        private readonly byte[] _block = new byte[TarFormat.BlockSize];
        private int _position = TarFormat.BlockSize;

        internal long Next()
        {
            Span<byte> digits = stackalloc byte[MaxDigits];
            for (var count = 0; ; count++)
            {
                if (_position == _block.Length)
                {
                    readBlock(_block);
                    _position = 0;
                }

                var letter = _block[_position++];
                if (letter == (byte)'\n')
                {
                    return Number(digits[..count]);
                }

                digits[count < MaxDigits ? count : throw TarFormat.Broken("a sparse file's map is no list of numbers")] = letter;
            }
        }
    }
}
