using System.Text.RegularExpressions;

namespace Podhost.SchemaGen;

/// <summary>Takes required fields and MicroTime fields from model declarations such as <c>'name'?: string;</c>.</summary>
internal static partial class RequiredFacts
{
    public static void Write(string directory, string output)
    {
        var lines = new List<string>();
        foreach (var file in Directory.EnumerateFiles(directory, "*.d.ts").Order(StringComparer.Ordinal))
        {
            var model = Path.GetFileName(file)[..^".d.ts".Length];
            if (!StableModel().IsMatch(model))
            {
                continue;
            }

            foreach (var line in File.ReadLines(file))
            {
                if (Property().Match(line) is not { Success: true } match)
                {
                    continue;
                }

                var name = match.Groups["name"].Value.TrimStart('_');
                var required = match.Groups["optional"].Value.Length == 0;
                var micro = match.Groups["type"].Value == "V1MicroTime";
                if (required || micro)
                {
                    lines.Add($"{model}\t{name}\t{(required ? "required" : "")}\t{(micro ? "microTime" : "")}");
                }
            }
        }

        File.WriteAllLines(output, ["model\tfield\trequired\tformat", .. lines]);
    }

    [GeneratedRegex(@"^\w*V\d+[A-Z]")]
    private static partial Regex StableModel();

    [GeneratedRegex(@"^    '(?<name>[^']+)'(?<optional>\??): (?<type>.+);$")]
    private static partial Regex Property();
}
