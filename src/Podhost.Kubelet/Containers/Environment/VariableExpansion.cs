using System.Text;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary><c>$(NAME)</c> in env values, command, args and subPathExpr. <c>$$</c> is a dollar sign; an unknown name stays as it is written.</summary>
internal static class VariableExpansion
{
    /// <summary>Expands the references of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="lookup">The value of a name, or null where there is none.</param>
    public static string Expand(string text, Func<string, string?> lookup)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            i = AppendOperator(result, text, i + 1, lookup);
        }

        return result.ToString();
    }

    /// <summary>Expands every text of a list.</summary>
    public static IEnumerable<string> ExpandAll(IEnumerable<string>? texts, Func<string, string?> lookup) =>
        (texts ?? []).Select(text => Expand(text, lookup));

    /// <summary>Appends what the character after a dollar sign makes of it; returns the index of the last character used.</summary>
    private static int AppendOperator(StringBuilder result, string text, int next, Func<string, string?> lookup)
    {
        if (text[next] == '$')
        {
            result.Append('$');
            return next;
        }

        var close = text[next] == '(' ? text.IndexOf(')', next) : -1;
        if (close < 0)
        {
            result.Append('$').Append(text[next]);
            return next;
        }

        var name = text[(next + 1)..close];
        result.Append(lookup(name) ?? $"$({name})");
        return close;
    }
}
