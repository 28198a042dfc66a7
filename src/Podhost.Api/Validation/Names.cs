using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Podhost.Api.Selectors;

namespace Podhost.Api.Validation;

/// <summary>The syntax of names, each rule with upstream's words (apimachinery, util/validation). A rule returns the faults of a string.</summary>
internal static partial class Names
{
    private const string Label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private const string UnderscoreLabel = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    private const string Header = "[-A-Za-z0-9]+";
    private const string DataKey = "[-._a-zA-Z0-9]+";
    private const string SubdomainWords = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, ";
    private const string Ends = "and must start and end with an alphanumeric character";

    /// <summary>A DNS label of RFC 1123.</summary>
    public static IEnumerable<string> DnsLabel(string s) =>
        Rule(s, 63, LabelPattern(), "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " + Ends, Label, "my-name", "123-abc");

    /// <summary>A DNS label of RFC 1035: it begins with a letter.</summary>
    public static IEnumerable<string> Dns1035Label(string s) =>
        Rule(s, 63, Label1035Pattern(),
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123");

    /// <summary>A DNS subdomain.</summary>
    public static IEnumerable<string> DnsSubdomain(string s) =>
        Rule(s, 253, SubdomainPattern(), SubdomainWords + "'-' or '.', " + Ends, $"{Label}(\\.{Label})*", "example.com");

    /// <summary>A DNS subdomain whose labels may have underscores.</summary>
    public static IEnumerable<string> DnsSubdomainWithUnderscore(string s) =>
        Rule(s, 253, UnderscoreSubdomainPattern(), SubdomainWords + "'-', '_' or '.', " + Ends, $"{UnderscoreLabel}(\\.{UnderscoreLabel})*", "example.com");

    /// <summary>A name that is one segment of a path.</summary>
    public static IEnumerable<string> PathSegment(string s)
    {
        if (s is "." or "..")
        {
            yield return $"may not be '{s}'";
        }

        foreach (var c in "/%".Where(s.Contains))
        {
            yield return $"may not contain '{c}'";
        }
    }

    /// <summary>A label key or another qualified name.</summary>
    public static IEnumerable<string> Qualified(string s) => LabelSyntax.KeyFaults(s);

    /// <summary>A label value.</summary>
    public static IEnumerable<string> LabelValue(string s) => LabelSyntax.ValueFaults(s);

    /// <summary>The name of a port (IANA_SVC_NAME).</summary>
    public static IEnumerable<string> PortName(string s)
    {
        if (s.Length > 15)
        {
            yield return "must be no more than 15 bytes";
        }

        if (s.Length == 0 || !s.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            yield return "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)";
        }

        if (!s.Any(char.IsAsciiLetterLower))
        {
            yield return "must contain at least one letter (a-z)";
        }

        if (s.Contains("--", StringComparison.Ordinal))
        {
            yield return "must not contain consecutive hyphens";
        }

        if (s.StartsWith('-') || s.EndsWith('-'))
        {
            yield return "must not begin or end with a hyphen";
        }
    }

    /// <summary>The name of an environment variable.</summary>
    public static IEnumerable<string> EnvironmentVariable(string s)
    {
        if (s.Length == 0)
        {
            yield return "environment variable name must be non-empty";
        }

        if (s.Any(c => c is < ' ' or > '~' or '='))
        {
            yield return "a valid environment variable name must consist only of printable ASCII characters other than '='";
        }
    }

    /// <summary>A key of a ConfigMap or Secret.</summary>
    public static IEnumerable<string> ConfigKey(string s)
    {
        foreach (var fault in Rule(s, 253, DataKeyPattern(), "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", DataKey, "key.name", "KEY_NAME", "key-name"))
        {
            yield return fault;
        }

        if (s is "." or "..")
        {
            yield return $"must not be '{s}'";
        }
        else if (s.StartsWith("..", StringComparison.Ordinal))
        {
            yield return "must not start with '..'";
        }
    }

    /// <summary>The name of an HTTP header.</summary>
    public static IEnumerable<string> HttpHeader(string s) =>
        Rule(s, int.MaxValue, HeaderPattern(), "a valid HTTP header must consist of alphanumeric characters or '-'", Header, "X-Header-Name");

    /// <summary>An IP address of either family.</summary>
    public static IEnumerable<string> Ip(string s) => ParseIp(s) is null ? ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"] : [];

    /// <summary>A network in CIDR notation.</summary>
    public static IEnumerable<string> Cidr(string s) =>
        s.Split('/') is [var ip, var bits] && ParseIp(ip) is { } address && int.TryParse(bits, out var n)
        && n >= 0 && n <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
            ? [] : ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];

    /// <summary>An address that is a host's on a network: not unspecified, loopback or link-local.</summary>
    public static IEnumerable<string> OrdinaryIp(string s)
    {
        if (ParseIp(s) is not { } ip)
        {
            return ["must be a valid IP address"];
        }

        var bytes = ip.GetAddressBytes();
        var v4 = bytes.Length == 4;
        return ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any) ? [$"may not be unspecified ({s})"]
            : IPAddress.IsLoopback(ip) ? ["may not be in the loopback range (127.0.0.0/8, ::1/128)"]
            : ip.IsIPv6LinkLocal || (v4 && bytes is [169, 254, ..]) ? ["may not be in the link-local range (169.254.0.0/16, fe80::/10)"]
            : (v4 && bytes is [224, 0, 0, _]) || (!v4 && bytes[0] == 0xff && (bytes[1] & 0xf) == 2) ? ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"]
            : [];
    }

    /// <summary>A path without <c>..</c> elements.</summary>
    public static IEnumerable<string> NoBacksteps(string s) => s.Split('/').Contains("..") ? ["must not contain '..'"] : [];

    /// <summary>A relative path that stays below where it begins.</summary>
    public static IEnumerable<string> Descending(string s) => s.StartsWith('/') ? ["must be a relative path", .. NoBacksteps(s)] : NoBacksteps(s);

    /// <summary>A relative path whose first element may not look like the kubelet's own (<c>..data</c>).</summary>
    public static IEnumerable<string> NotReserved(string s) =>
        s.StartsWith("..", StringComparison.Ordinal) && s != ".." && !s.StartsWith("../", StringComparison.Ordinal)
            ? [.. Descending(s), "must not start with '..'"] : Descending(s);

    /// <summary>The rule for a prefix that a name is generated from: it may end with a dash.</summary>
    public static Func<string, IEnumerable<string>> Prefix(Func<string, IEnumerable<string>> rule) =>
        s => rule(s.Length > 1 && s[^1] == '-' ? s[..^1] + "a" : s);

    /// <summary>The address, or null. Forms that only some parsers take (inet_aton's, zones, brackets) are none.</summary>
    public static IPAddress? ParseIp(string s)
    {
        var plausible = s.Contains(':', StringComparison.Ordinal) ? !s.AsSpan().ContainsAny("%[]") : s.Split('.').Length == 4;
        return plausible && IPAddress.TryParse(s, out var ip) ? ip : null;
    }

    private static IEnumerable<string> Rule(string s, int max, Regex pattern, string words, string format, params string[] examples)
    {
        if (s.Length > max)
        {
            yield return $"must be no more than {max} bytes";
        }

        if (!pattern.IsMatch(s))
        {
            yield return $"{words} (e.g. {string.Join(" or ", examples.Select(e => $"'{e}', "))}regex used for validation is '{format}')";
        }
    }

    [GeneratedRegex(@"\A" + Label + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelPattern();

    [GeneratedRegex(@"\A[a-z]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label1035Pattern();

    [GeneratedRegex(@"\A" + Label + @"(\." + Label + @")*\z", RegexOptions.CultureInvariant)]
    private static partial Regex SubdomainPattern();

    [GeneratedRegex(@"\A" + UnderscoreLabel + @"(\." + UnderscoreLabel + @")*\z", RegexOptions.CultureInvariant)]
    private static partial Regex UnderscoreSubdomainPattern();

    [GeneratedRegex(@"\A" + DataKey + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex DataKeyPattern();

    [GeneratedRegex(@"\A" + Header + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderPattern();
}
