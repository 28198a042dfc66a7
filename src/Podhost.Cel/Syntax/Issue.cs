using System.Globalization;
using System.Text;

namespace Podhost.Cel.Syntax;

/// <summary>One fault of an expression's text, at an offset in UTF-16 units.</summary>
internal readonly record struct Issue(int Offset, string Message);

/// <summary>Prints faults as cel-go does: message, line of the source, a mark below the column.</summary>
internal static class Issues
{
    /// <summary>All faults in the order of their places, joined by newlines.</summary>
    public static string Print(string source, IEnumerable<Issue> issues) =>
        string.Join('\n', issues.OrderBy(i => i.Offset).Select(i => Print(source, i)));

    private static string Print(string source, Issue issue)
    {
        var offset = Math.Clamp(issue.Offset, 0, source.Length);
        var start = offset == 0 ? 0 : source.LastIndexOf('\n', offset - 1) + 1;
        var end = source.IndexOf('\n', start);
        var line = source[start..(end < 0 ? source.Length : end)];
        var number = source.AsSpan(0, start).Count('\n') + 1;
        var column = Runes(source.AsSpan(start, offset - start));
        return new StringBuilder().Append(CultureInfo.InvariantCulture, $"ERROR: <input>:{number}:{column + 1}: {issue.Message}")
            .Append("\n | ").Append(line.Replace('\t', ' '))
            .Append("\n | ").Append('.', column).Append('^').ToString();
    }

    private static int Runes(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
