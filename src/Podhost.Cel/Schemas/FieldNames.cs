using System.Text;

namespace Podhost.Cel.Schemas;

/// <summary>Names of properties as expressions write them: what is no identifier is escaped, as Kubernetes does it.</summary>
public static class FieldNames
{
    private static readonly HashSet<string> Reserved =
    [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ];

    private static readonly (string Plain, string Escaped)[] Symbols = [("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")];

    /// <summary>The name in expressions; null where a property cannot be named.</summary>
    public static string? Escape(string property)
    {
        if (property.Length == 0 || char.IsAsciiDigit(property[0]))
        {
            return null;
        }

        if (Reserved.Contains(property))
        {
            return $"__{property}__";
        }

        var name = new StringBuilder();
        for (var at = 0; at < property.Length;)
        {
            var c = property[at];
            var (plain, escaped) = Symbols.FirstOrDefault(s => string.CompareOrdinal(property, at, s.Plain, 0, s.Plain.Length) == 0);
            if (plain is null && !char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return null;
            }

            name.Append(escaped ?? c.ToString());
            at += plain?.Length ?? 1;
        }

        return name.ToString();
    }

    /// <summary>The property of a name in expressions.</summary>
    public static string Unescape(string name)
    {
        if (!name.Contains("__", StringComparison.Ordinal))
        {
            return name;
        }

        if (name.Length > 4 && name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal) && Reserved.Contains(name[2..^2]))
        {
            return name[2..^2];
        }

        var property = new StringBuilder();
        for (var at = 0; at < name.Length;)
        {
            var (plain, escaped) = Symbols.FirstOrDefault(s => string.CompareOrdinal(name, at, s.Escaped, 0, s.Escaped.Length) == 0);
            property.Append(plain ?? name[at].ToString());
            at += escaped?.Length ?? 1;
        }

        return property.ToString();
    }
}
