using System.Globalization;
using System.Text;
using k8s.Models;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>An HTTP GET of a probe or hook.</summary>
/// <param name="Scheme">http or https.</param>
/// <param name="Host">Where it connects.</param>
/// <param name="Port">Port.</param>
/// <param name="PathAndQuery">Begins with a slash.</param>
/// <param name="HostHeader">Host header where the spec overrides it.</param>
/// <param name="Headers">Further headers.</param>
internal sealed record HttpProbeRequest(
    string Scheme, string Host, int Port, string PathAndQuery, string? HostHeader, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>The URL, as messages show it.</summary>
    public string Url => $"{Scheme}://{Dialer.Join(Host, Port)}{PathAndQuery}";

    /// <summary>The request of an action.</summary>
    /// <param name="action">The spec.</param>
    /// <param name="port">Its port, resolved.</param>
    /// <param name="podIP">Where it goes where it names no host.</param>
    /// <param name="userAgent">User-Agent unless the spec sets one; set to nothing there, none is sent.</param>
    public static HttpProbeRequest Of(V1HTTPGetAction action, int port, string podIP, string userAgent)
    {
        var given = (action.HttpHeaders ?? []).Select(h => new KeyValuePair<string, string>(h.Name ?? "", h.Value ?? "")).ToList();
        var host = given.FirstOrDefault(h => Is(h, "Host")).Value;
        var headers = given.Where(h => !Is(h, "Host") && !(h.Value.Length == 0 && (Is(h, "User-Agent") || Is(h, "Accept")))).ToList();
        AddUnlessGiven("User-Agent", userAgent);
        AddUnlessGiven("Accept", "*/*");
        var scheme = string.IsNullOrEmpty(action.Scheme) ? "http" : action.Scheme.ToLowerInvariant();
        return new HttpProbeRequest(
            scheme, string.IsNullOrEmpty(action.Host) ? podIP : action.Host, port, Path(action.Path), string.IsNullOrEmpty(host) ? null : host, headers);

        static bool Is(KeyValuePair<string, string> header, string name) => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

        void AddUnlessGiven(string name, string value)
        {
            if (!given.Any(h => Is(h, name)))
            {
                headers.Add(new(name, value));
            }
        }
    }

    /// <summary>The request to where a redirect points, or null where that is on another host.</summary>
    public HttpProbeRequest? Follow(string location)
    {
        if (!Uri.TryCreate(new Uri(Url), location, out var target)
            || target.Scheme is not ("http" or "https")
            || !target.Host.Trim('[', ']').Equals(new Uri(Url).Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return this with { Scheme = target.Scheme, Port = target.Port, PathAndQuery = target.PathAndQuery };
    }

    /// <summary>The bytes of the request, up to and including the empty line.</summary>
    public byte[] Encode()
    {
        var defaultPort = Scheme == "https" ? 443 : 80;
        var text = new StringBuilder(256);
        text.Append("GET ").Append(PathAndQuery).Append(" HTTP/1.1\r\nHost: ");
        text.Append(HostHeader ?? (Port != defaultPort ? Dialer.Join(Host, Port) : Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host));
        text.Append("\r\n");
        foreach (var (name, value) in Headers)
        {
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        text.Append("Connection: close\r\n\r\n");
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    private static string Path(string? path)
    {
        var text = string.IsNullOrEmpty(path) ? "/" : path[0] == '/' ? path : "/" + path;

        // What cannot stand in a request line is escaped; escapes that are there stay.
        var escaped = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text.Split('#')[0]))
        {
            if (b is > 0x20 and < 0x7f)
            {
                escaped.Append((char)b);
            }
            else
            {
                escaped.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return escaped.ToString();
    }
}
