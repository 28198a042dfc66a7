using System.Net.Http.Headers;

namespace Podhost.Runtime.Images.Registry;

/// <summary>A WWW-Authenticate challenge (RFC 9110 11.6.1; distribution's token specification).</summary>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public static Challenge? Find(HttpHeaderValueCollection<AuthenticationHeaderValue> headers, string scheme) =>
        headers.Where(header => header.Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase))
            .Select(header => new Challenge(scheme, ParseParameters(header.Parameter ?? "")))
            .FirstOrDefault();

    /// <summary>name=value or name="value", separated by commas; a backslash escapes in quotes.</summary>
    internal static IReadOnlyDictionary<string, string> ParseParameters(string text)
    {
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var position = 0;
        while (position < text.Length)
        {
            var equals = text.IndexOf('=', position);
            if (equals < 0)
            {
                break;
            }

            var name = text[position..equals].Trim(' ', ',', '\t');
            position = equals + 1;
            parameters[name] = position < text.Length && text[position] == '"' ? Quoted(text, ref position) : Plain(text, ref position);
        }

        return parameters;
    }

    private static string Quoted(string text, ref int position)
    {
        var value = new System.Text.StringBuilder();
        for (position++; position < text.Length && text[position] != '"'; position++)
        {
            if (text[position] == '\\' && position + 1 < text.Length)
            {
                position++;
            }

            value.Append(text[position]);
        }

        position++;
        return value.ToString();
    }

    private static string Plain(string text, ref int position)
    {
        var end = text.IndexOf(',', position);
        var value = end < 0 ? text[position..] : text[position..end];
        position = end < 0 ? text.Length : end + 1;
        return value.Trim();
    }
}
