using System.Globalization;

namespace Podhost.Api.Workloads;

/// <summary>Completion indexes of a Job as users write them: <c>0,3-5</c>. Ranges are never spelled out: a short text may name billions.</summary>
public sealed class IndexRanges
{
    private readonly List<(int From, int To)> _ranges = [];

    private IndexRanges()
    {
    }

    /// <summary>How many indexes there are.</summary>
    public long Count => _ranges.Sum(r => (long)r.To - r.From + 1);

    /// <summary>True where an index is one of them.</summary>
    public bool Contains(int index) => _ranges.Exists(r => index >= r.From && index <= r.To);

    /// <summary>Reads them.</summary>
    /// <param name="text">The text: numbers and ranges in ascending order.</param>
    /// <param name="completions">All must be below this number.</param>
    /// <param name="ranges">What was read.</param>
    /// <returns>What is wrong; null for nothing.</returns>
    public static string? Parse(string text, long completions, out IndexRanges ranges)
    {
        ranges = new IndexRanges();
        var last = -1;
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !TryRead(ends[0], out var from) || !TryRead(ends[^1], out var to))
            {
                return $"cannot convert string to integer for index: \"{part}\"";
            }

            if (from <= last)
            {
                return $"non-increasing order, previous: {last}, current: {from}";
            }

            if (ends.Length == 2 && to <= from)
            {
                return $"non-increasing order, previous: {from}, current: {to}";
            }

            if (to >= completions)
            {
                return $"too large index: \"{ends[^1]}\"";
            }

            ranges._ranges.Add((from, to));
            last = to;
        }

        return null;
    }

    private static bool TryRead(string text, out int index) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index);
}
