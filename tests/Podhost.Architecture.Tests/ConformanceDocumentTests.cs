using System.Text.RegularExpressions;

namespace Podhost.Architecture.Tests;

/// <summary>docs/conformance.md and docs/conformance-workloads.md name tests that exist.</summary>
public sealed partial class ConformanceDocumentTests
{
    private const int Behaviours = 250;

    [Fact]
    public void Every_behaviour_names_a_test_that_exists_or_says_that_there_is_none()
    {
        var rows = Rows("docs/conformance.md");
        Assert.Equal(Behaviours, rows.Where(r => r.StartsWith("| [sig-", StringComparison.Ordinal)).Select(r => r.Split('|')[1]).Distinct().Count());
        var tests = Tests();
        var wrong = rows.Concat(Rows("docs/conformance-workloads.md")).SelectMany(r => Problems(r.Split('|')[2].Trim(), tests).Select(p => $"{p}: {r}")).ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static List<string> Rows(string document) =>
        [.. File.ReadLines(Path.Combine(Repository.Root, document)).Where(l => l.StartsWith("| [", StringComparison.Ordinal))];

    private static IEnumerable<string> Problems(string evidence, HashSet<string> tests)
    {
        if (evidence.StartsWith("none: ", StringComparison.Ordinal))
        {
            return [];
        }

        var named = Quoted().Matches(evidence).Select(m => m.Groups[1].Value).ToList();
        return named.Count == 0 ? ["no test"] : named.Where(n => n.StartsWith("cases/", StringComparison.Ordinal) ? !IsCase(n) : !tests.Contains(n));
    }

    // A case is a directory, or files of one name.
    private static bool IsCase(string name)
    {
        var path = Path.Combine(Repository.Root, "tests", name);
        return Directory.Exists(path) || Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + ".*").Any();
    }

    // CLASS.METHOD of every test; a file may hold several classes, so that a method belongs to the last one before it.
    private static HashSet<string> Tests()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var files = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));
        foreach (var file in files)
        {
            var type = "";
            foreach (var line in File.ReadLines(file))
            {
                type = Class().Match(line) is { Success: true } c ? c.Groups[1].Value : type;
                if (Method().Match(line) is { Success: true } m)
                {
                    found.Add($"{type}.{m.Groups[1].Value}");
                }
            }
        }

        return found;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\s*public (?:sealed |partial |abstract )*class (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"^\s*public (?:async )?(?:Task|void|ValueTask) (\w+)\(")]
    private static partial Regex Method();
}
