using System.Text;

namespace Podhost.Api.Selectors;

/// <summary>A selector over fields.</summary>
public sealed class FieldSelector
{
    private FieldSelector(IReadOnlyList<FieldRequirement> requirements) => Requirements = requirements;

    /// <summary>Selects everything.</summary>
    public static FieldSelector Everything { get; } = new([]);

    /// <summary>The terms.</summary>
    public IReadOnlyList<FieldRequirement> Requirements { get; }

    /// <summary>True where there are no terms.</summary>
    public bool IsEmpty => Requirements.Count == 0;

    /// <summary>Parses the string form, for example <c>spec.nodeName=n1,status.phase!=Failed</c>.</summary>
    /// <exception cref="FormatException">It cannot be parsed; the message is upstream's.</exception>
    public static FieldSelector Parse(string selector)
    {
        var terms = Split(selector).Where(t => t.Length > 0).Select(t => ParseTerm(t, selector)).ToList();
        return terms.Count == 0 ? Everything : new FieldSelector(terms);
    }

    /// <summary>True where the fields satisfy every term; an absent field counts as empty.</summary>
    /// <param name="field">The value of a field path, or null.</param>
    public bool Matches(Func<string, string?> field) => Requirements.All(r => ((field(r.Field) ?? "") == r.Value) != r.Negated);

    /// <summary>The value that the selector demands of a field with <c>=</c>, or null: lets a list of one name be a look-up.</summary>
    public string? RequiredValue(string field) => Requirements.FirstOrDefault(r => r.Field == field && !r.Negated)?.Value;

    /// <summary>The string form.</summary>
    public override string ToString() => string.Join(',', Requirements);

    private static FieldRequirement ParseTerm(string term, string selector)
    {
        for (var i = 0; i < term.Length; i++)
        {
            var (length, negated) = term.AsSpan(i) switch
            {
                ['!', '=', ..] => (2, true),
                ['=', '=', ..] => (2, false),
                ['=', ..] => (1, false),
                _ => (0, false),
            };
            if (length > 0)
            {
                return new FieldRequirement(term[..i], Unescape(term[(i + length)..]), negated);
            }
        }

        throw new FormatException($"invalid selector: '{selector}'; can't understand '{term}'");
    }

    // A comma or an equals sign of a value is written with a backslash.
    private static List<string> Split(string selector)
    {
        var terms = new List<string>();
        var start = 0;
        for (var i = 0; i < selector.Length; i++)
        {
            if (selector[i] == '\\')
            {
                i++;
            }
            else if (selector[i] == ',')
            {
                terms.Add(selector[start..i]);
                start = i + 1;
            }
        }

        terms.Add(selector[start..]);
        return terms;
    }

    private static string Unescape(string value)
    {
        var result = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            switch (value[i])
            {
                case '\\' when i + 1 < value.Length && value[i + 1] is '\\' or ',' or '=':
                    result.Append(value[++i]);
                    break;
                case '\\' when i + 1 < value.Length:
                    throw new FormatException($"invalid field selector: invalid escape sequence: \\{value[i + 1]}");
                case '\\':
                    throw new FormatException("invalid field selector: invalid escape sequence: \\");
                case ',' or '=':
                    throw new FormatException($"invalid field selector: unescaped character in value: {value[i]}");
                default:
                    result.Append(value[i]);
                    break;
            }
        }

        return result.ToString();
    }
}

/// <summary>One term of a field selector.</summary>
/// <param name="Field">Path, for example <c>metadata.name</c>.</param>
/// <param name="Value">Value to compare with.</param>
/// <param name="Negated">True for <c>!=</c>.</param>
public sealed record FieldRequirement(string Field, string Value, bool Negated)
{
    /// <summary>The string form.</summary>
    public override string ToString() => Field + (Negated ? "!=" : "=")
        + Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal).Replace("=", "\\=", StringComparison.Ordinal);
}
