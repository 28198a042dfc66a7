using System.Text;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>A URL in its parts, as Go parses it.</summary>
internal sealed record CelUrl(string Scheme, string Host, string Path, string Query)
{
    /// <summary>An absolute URL or an absolute path; null where the text is neither.</summary>
    public static CelUrl? TryParse(string text)
    {
        if (text.Length == 0 || text.AsSpan().IndexOfAnyInRange('\0', ' ') >= 0 || text.Contains('\x7f', StringComparison.Ordinal))
        {
            return null;
        }

        var scheme = Scheme_(text);
        var rest = scheme.Length > 0 ? text[(scheme.Length + 1)..] : text;
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var query = question < 0 ? "" : rest[(question + 1)..];
        rest = question < 0 ? rest : rest[..question];
        if (!rest.StartsWith('/'))
        {
            return null;
        }

        var host = "";
        if (scheme.Length > 0 && rest.StartsWith("//", StringComparison.Ordinal))
        {
            var end = rest.IndexOf('/', 2);
            host = end < 0 ? rest[2..] : rest[2..end];
            rest = end < 0 ? "" : rest[end..];
            host = host[(host.LastIndexOf('@') + 1)..];
        }

        return IsHost(host) && IsEscaped(rest) ? new CelUrl(scheme.ToLowerInvariant(), host, rest, query) : null;
    }

    /// <summary>The host without its port and without brackets.</summary>
    public string Hostname => Host.StartsWith('[') ? Host[1..Host.IndexOf(']', StringComparison.Ordinal)] : Host.Split(':')[0];

    public string Port => Host[(Host.LastIndexOf(']') + 1)..].IndexOf(':', StringComparison.Ordinal) is >= 0 ? Host[(Host.LastIndexOf(':') + 1)..] : "";

    private static string Scheme_(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && char.IsAsciiLetter(text[0]) && text.AsSpan(0, colon).IndexOfAnyExcept(SchemeLetters) < 0 ? text[..colon] : "";
    }

    private static readonly System.Buffers.SearchValues<char> SchemeLetters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    private static bool IsHost(string host)
    {
        var end = host.LastIndexOf(']');
        if (host.StartsWith('[') != end > 0 || (end > 0 && end + 1 < host.Length && host[end + 1] != ':'))
        {
            return false;
        }

        var colon = host.IndexOf(':', end + 1);
        var port = colon < 0 ? "" : host[(colon + 1)..];
        return port.All(char.IsAsciiDigit) && host.AsSpan().IndexOfAny(" <>\"\\^`{|}") < 0;
    }

    private static bool IsEscaped(string path)
    {
        for (var at = path.IndexOf('%', StringComparison.Ordinal); at >= 0; at = path.IndexOf('%', at + 1))
        {
            if (at + 2 >= path.Length || !char.IsAsciiHexDigit(path[at + 1]) || !char.IsAsciiHexDigit(path[at + 2]))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>The url library.</summary>
internal static class Urls
{
    private const string PathSafe = "-_.~!$&'()*+,;=:@/%";

    public static void AddTo(FunctionTable t)
    {
        t.Add("url", "string_to_url", "(string) URL",
            a => CelUrl.TryParse((string)a[0]) is { } url ? url : new CelError($"URL parse error during conversion from string: parse \"{a[0]}\": invalid URI for request"));
        t.Add("isURL", "is_url_string", "(string) bool", a => Boxes.Of(CelUrl.TryParse((string)a[0]) is not null));
        t.Add("getScheme", "url_get_scheme", "URL.() string", a => ((CelUrl)a[0]).Scheme);
        t.Add("getHost", "url_get_host", "URL.() string", a => ((CelUrl)a[0]).Host);
        t.Add("getHostname", "url_get_hostname", "URL.() string", a => ((CelUrl)a[0]).Hostname);
        t.Add("getPort", "url_get_port", "URL.() string", a => ((CelUrl)a[0]).Port);
        t.Add("getEscapedPath", "url_get_escaped_path", "URL.() string", a => Escape(((CelUrl)a[0]).Path));
        t.Add("getQuery", "url_get_query", "URL.() map(string, list(string))", a => Query(((CelUrl)a[0]).Query));
    }

    private static string Escape(string path)
    {
        var result = new StringBuilder();
        foreach (var rune in path.EnumerateRunes())
        {
            var isSafe = rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || PathSafe.Contains((char)rune.Value, StringComparison.Ordinal));
            result.Append(isSafe ? rune.ToString() : Uri.EscapeDataString(rune.ToString()));
        }

        return result.ToString();
    }

    private static DictionaryMap Query(string query)
    {
        var values = new Dictionary<object, object>(KeyComparer.Instance);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries).Where(p => !p.Contains(';', StringComparison.Ordinal)))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = Unescape(equals < 0 ? pair : pair[..equals]);
            var list = (ArrayList)(values.TryGetValue(name, out var known) ? known : values[name] = new ArrayList([]));
            list.Append(new ArrayList([Unescape(equals < 0 ? "" : pair[(equals + 1)..])]));
        }

        return new DictionaryMap(values);
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
