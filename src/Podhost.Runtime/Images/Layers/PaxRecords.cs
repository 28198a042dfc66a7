using System.Globalization;
using System.Text;

namespace Podhost.Runtime.Images.Layers;

/// <summary>
/// The records of a PAX extended header ("length key=value\n"), values as bytes: file capabilities are binary and do not survive a
/// decoding as text, which is why System.Formats.Tar is not used.
/// </summary>
internal sealed class PaxRecords
{
    private const string AttributePrefix = "SCHILY.xattr.";
    private const int MaxAttributes = 128;

    private readonly List<ExtendedAttribute> _attributes = [];

    public byte[]? Path { get; private set; }

    public byte[]? LinkPath { get; private set; }

    public long? Size { get; private set; }

    public long? Uid { get; private set; }

    public long? Gid { get; private set; }

    public (long Seconds, int Nanoseconds)? Mtime { get; private set; }

    /// <summary>What GNU tar says of a sparse file; null for an ordinary one.</summary>
    public PaxSparse? Sparse { get; private set; }

    public IReadOnlyList<ExtendedAttribute> Attributes => _attributes;

    public static PaxRecords Parse(ReadOnlySpan<byte> records)
    {
        var result = new PaxRecords();
        while (records.Length > 0)
        {
            var space = records.IndexOf((byte)' ');
            if (space <= 0
                || !int.TryParse(records[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space + 1 || length > records.Length || records[length - 1] != (byte)'\n')
            {
                throw TarFormat.Broken("a PAX record has a wrong length");
            }

            var record = records[(space + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                throw TarFormat.Broken("a PAX record has no key");
            }

            result.Add(Encoding.UTF8.GetString(record[..equals]), record[(equals + 1)..]);
            records = records[length..];
        }

        return result;
    }

    private void Add(string key, ReadOnlySpan<byte> value)
    {
        switch (key)
        {
            case "path":
                Path = value.ToArray();
                break;
            case "linkpath":
                LinkPath = value.ToArray();
                break;
            case "size":
                Size = Number(value, key);
                break;
            case "uid":
                Uid = Number(value, key);
                break;
            case "gid":
                Gid = Number(value, key);
                break;
            case "mtime":
                Mtime = Time(value);
                break;
            default:
                AddOther(key, value);
                break;
        }
    }

    private void AddOther(string key, ReadOnlySpan<byte> value)
    {
        if (key.StartsWith(PaxSparse.Prefix, StringComparison.Ordinal))
        {
            (Sparse ??= new PaxSparse()).Add(key[PaxSparse.Prefix.Length..], value);
            return;
        }

        if (!key.StartsWith(AttributePrefix, StringComparison.Ordinal))
        {
            return;
        }

        var name = key[AttributePrefix.Length..];
        if (name.Length is 0 or > 255 || name.Contains('\0', StringComparison.Ordinal) || _attributes.Count == MaxAttributes)
        {
            throw TarFormat.Broken("an entry has bad or too many extended attributes");
        }

        _attributes.RemoveAll(attribute => attribute.Name == name);
        _attributes.Add(new ExtendedAttribute(name, value.ToArray()));
    }

    private static long Number(ReadOnlySpan<byte> value, string key) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw TarFormat.Broken($"the PAX record {key} is no number");

    private static (long Seconds, int Nanoseconds) Time(ReadOnlySpan<byte> value)
    {
        if (!decimal.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var time)
            || Math.Abs(time) > 1_000_000_000_000)
        {
            throw TarFormat.Broken("the PAX record mtime is no time");
        }

        var seconds = decimal.Floor(time);
        return ((long)seconds, (int)((time - seconds) * 1_000_000_000));
    }
}

/// <summary>The records GNU.sparse.* of a PAX header. 0.0 repeats offset and numbytes, 0.1 has a map, 1.0 keeps the map before the data.</summary>
internal sealed class PaxSparse
{
    /// <summary>What the names of the records begin with.</summary>
    public const string Prefix = "GNU.sparse.";

    private long? _offset;

    /// <summary>The file's name: in 0.1 and 1.0 the header has another one.</summary>
    public byte[]? Name { get; private set; }

    /// <summary>Bytes of the file with its holes.</summary>
    public long? RealSize { get; private set; }

    /// <summary>The parts with data; empty in 1.0.</summary>
    public List<SparseRegion> Regions { get; } = [];

    /// <summary>The form 1.0.</summary>
    public bool MapIsInData => _major == 1;

    private long _major;
    private long _minor;

    /// <summary>Takes a record.</summary>
    public void Add(string key, ReadOnlySpan<byte> value)
    {
        switch (key)
        {
            case "major":
                _major = SparseMap.Number(value);
                break;
            case "minor":
                _minor = SparseMap.Number(value);
                break;
            case "name":
                Name = value.ToArray();
                break;
            case "size" or "realsize":
                RealSize = SparseMap.Number(value);
                break;
            case "offset":
                _offset = _offset is null ? SparseMap.Number(value) : throw Broken();
                break;
            case "numbytes":
                SparseMap.Add(Regions, _offset ?? throw Broken(), SparseMap.Number(value));
                _offset = null;
                break;
            case "map":
                SparseMap.AddText(value, Regions);
                break;
            default:
                break; // numblocks: the map has as many as it has.
        }
    }

    /// <summary>Throws where the records do not make one of the three forms.</summary>
    public void Check()
    {
        if (RealSize is null || _offset is not null || (_major, _minor) is not ((0, 0) or (0, 1) or (1, 0)) || (MapIsInData && Regions.Count > 0))
        {
            throw Broken();
        }
    }

    private static ImageException Broken() => TarFormat.Broken("the records of a sparse file contradict each other");
}
