using System.Text;
using System.Text.Json.Nodes;

namespace Podhost.Api.Validation;

/// <summary>What differs between two specs, for the message of a refused change. Upstream prints Go values there; this prints paths and JSON.</summary>
internal static class SpecDifference
{
    private const int MaxLines = 20;

    public static string Describe(JsonNode? old, JsonNode? current)
    {
        var lines = new List<string>();
        Walk("", old, current, lines);
        var text = new StringBuilder();
        foreach (var line in lines.Take(MaxLines))
        {
            text.Append(line).Append('\n');
        }

        return lines.Count > MaxLines ? text.Append("  ...\n").ToString() : text.ToString();
    }

    private static void Walk(string path, JsonNode? old, JsonNode? current, List<string> lines)
    {
        if (lines.Count > MaxLines || JsonNode.DeepEquals(old, current))
        {
            return;
        }

        switch (old, current)
        {
            case (JsonObject a, JsonObject b):
                foreach (var key in a.Select(e => e.Key).Union(b.Select(e => e.Key)).Order(StringComparer.Ordinal))
                {
                    Walk(path.Length == 0 ? key : $"{path}.{key}", a[key], b[key], lines);
                }

                break;
            case (JsonArray a, JsonArray b):
                for (var i = 0; i < Math.Max(a.Count, b.Count); i++)
                {
                    Walk($"{path}[{i}]", i < a.Count ? a[i] : null, i < b.Count ? b[i] : null, lines);
                }

                break;
            default:
                Say("- ", path, old, lines);
                Say("+ ", path, current, lines);
                break;
        }
    }

    private static void Say(string sign, string path, JsonNode? value, List<string> lines)
    {
        if (value is not null)
        {
            lines.Add($"{sign}{path}: {Field.Printed(value)}");
        }
    }
}
