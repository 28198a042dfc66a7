namespace Podhost.Api.Schema;

/// <summary>The descriptions of types and fields. Meant to be opened, used and dropped: it holds half a megabyte.</summary>
internal sealed class SchemaDescriptions
{
    private readonly SchemaData data = SchemaData.Open("descriptions.tsv");

    /// <summary>The description of a type (key empty) and of its fields by name.</summary>
    public IReadOnlyDictionary<string, string> Of(string typeName)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        var lines = data.Find(typeName) ?? [];
        for (var i = 0; i < lines.Length; i++)
        {
            var columns = lines[i].Split('\t');
            result[i == 0 ? "" : columns[1]] = Unescape(columns[^1]);
        }

        return result;
    }

    private static string Unescape(string text) => text
        .Replace("\\\\", "\0", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal).Replace('\0', '\\');
}
