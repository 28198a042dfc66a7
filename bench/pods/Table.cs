using System.Globalization;

namespace Podhost.Bench.Pods;

/// <summary>The result: one table, in Markdown.</summary>
internal sealed class Table
{
    private readonly List<(string What, string Measured, string Target)> _rows = [];

    internal void Add(string what, string measured, string target = "") => _rows.Add((what, measured, target));

    internal static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    internal void Print(string title)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine();
        Console.WriteLine("| what | measured | target |");
        Console.WriteLine("|---|---|---|");
        foreach (var (what, measured, target) in _rows)
        {
            Console.WriteLine($"| {what} | {measured} | {target} |");
        }
    }
}
