namespace Podhost.SchemaGen;

/// <summary>Writes the two data files: the shape (read at run time on demand) and the descriptions (read for OpenAPI only).</summary>
internal static class SchemaWriter
{
    public static void Write(IReadOnlyList<TypeModel> types, string directory)
    {
        using var schema = Create(Path.Combine(directory, "schema.tsv"));
        using var descriptions = Create(Path.Combine(directory, "descriptions.tsv"));
        foreach (var type in types.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            schema.WriteLine($"{type.Name}\t{(type.Atomic ? "atomic" : "")}");
            descriptions.WriteLine($"{type.Name}\t{Escape(type.Description)}");
            foreach (var f in type.Fields)
            {
                var x = f.Facts ?? new FieldFacts("", "", "", "", "", "");
                schema.WriteLine(string.Join('\t', "", f.Name, f.Type, f.Required ? "required" : "",
                    x.PatchStrategy, x.MergeKey, x.ListType, x.ListMapKeys, x.MapType, x.Default).TrimEnd('\t'));
                descriptions.WriteLine($"\t{f.Name}\t{Escape(f.Description)}");
            }
        }
    }

    private static StreamWriter Create(string path) => new(path, append: false) { NewLine = "\n" };

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\t", " ", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
