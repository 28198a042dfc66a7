using System.Text;

namespace Podhost.Api.Schema;

/// <summary>
/// A data file of blocks: a line with a type's name, then indented lines of its fields. Kept as bytes with an index of the blocks,
/// so that a type costs nothing until it is asked for.
/// </summary>
internal sealed class SchemaData
{
    private readonly Dictionary<string, (int Start, int Length)> index;
    private readonly byte[] bytes;

    private SchemaData(byte[] bytes, Dictionary<string, (int Start, int Length)> index)
    {
        this.bytes = bytes;
        this.index = index;
    }

    public IEnumerable<string> Names => index.Keys;

    public static SchemaData Open(string file)
    {
        using var stream = typeof(SchemaData).Assembly.GetManifestResourceStream("Podhost.Api.Schema." + file)
            ?? throw new InvalidOperationException($"the resource {file} is missing");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new SchemaData(bytes, Index(bytes));
    }

    /// <summary>The lines of a type, the first one with its name; null where there is none.</summary>
    public string[]? Find(string name) => index.TryGetValue(name, out var at)
        ? Encoding.UTF8.GetString(bytes, at.Start, at.Length).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        : null;

    private static Dictionary<string, (int Start, int Length)> Index(ReadOnlySpan<byte> bytes)
    {
        var index = new Dictionary<string, (int, int)>(StringComparer.Ordinal);
        for (var start = 0; start < bytes.Length;)
        {
            var end = EndOfBlock(bytes, start);
            var name = bytes[start..end];
            index.Add(Encoding.UTF8.GetString(name[..name.IndexOf((byte)'\t')]), (start, end - start));
            start = end;
        }

        return index;
    }

    private static int EndOfBlock(ReadOnlySpan<byte> bytes, int start)
    {
        var end = start;
        do
        {
            var line = bytes[end..].IndexOf((byte)'\n');
            end = line < 0 ? bytes.Length : end + line + 1;
        }
        while (end < bytes.Length && bytes[end] == (byte)'\t');

        return end;
    }
}
