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
        if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
        {
            throw TarFormat.Broken("sparse files are not supported");
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
