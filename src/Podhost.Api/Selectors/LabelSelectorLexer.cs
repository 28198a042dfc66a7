using System.Buffers;

namespace Podhost.Api.Selectors;

/// <summary>Tokens of the string form: operators, parentheses, commas, and runs of anything else.</summary>
internal static class LabelSelectorLexer
{
    private static readonly SearchValues<char> Delimiters = SearchValues.Create("=!(),<> \t\r\n");

    public static bool IsIdentifier(string token) => token.Length > 0 && !Delimiters.Contains(token[0]);

    public static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var length = LengthAt(text.AsSpan(i));
            if (!char.IsWhiteSpace(text[i]))
            {
                tokens.Add(text.Substring(i, length));
            }

            i += length;
        }

        return tokens;
    }

    private static int LengthAt(ReadOnlySpan<char> rest)
    {
        if (rest.StartsWith("==") || rest.StartsWith("!="))
        {
            return 2;
        }

        var delimiter = rest.IndexOfAny(Delimiters);
        return delimiter < 0 ? rest.Length : Math.Max(delimiter, 1);
    }
}
