using System.Globalization;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>Completion indexes as a Job's status writes them: "0,3-5".</summary>
internal static class IndexSet
{
    public static SortedSet<int> Parse(string? text)
    {
        var indexes = new SortedSet<int>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            if (int.TryParse(ends[0], CultureInfo.InvariantCulture, out var from) && int.TryParse(ends[^1], CultureInfo.InvariantCulture, out var to))
            {
                indexes.UnionWith(Enumerable.Range(from, Math.Max(0, to - from + 1)));
            }
        }

        return indexes;
    }

    public static string? Print(IEnumerable<int> indexes)
    {
        var parts = new List<string>();
        var (from, to) = (-1, -2);
        foreach (var index in indexes.Order().Append(int.MaxValue))
        {
            if (index == to + 1)
            {
                to = index;
                continue;
            }

            // Upstream writes two neighbours as a pair and more of them as a range.
            if (from >= 0)
            {
                parts.Add(from == to ? $"{from}" : to == from + 1 ? $"{from},{to}" : $"{from}-{to}");
            }

            (from, to) = (index, index);
        }

        return parts.Count > 0 ? string.Join(',', parts) : null;
    }
}
