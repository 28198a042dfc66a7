using System.Buffers;

namespace Podhost.Api.Selectors;

/// <summary>The syntax of label keys (qualified names) and label values.</summary>
public static class LabelSyntax
{
    private const int MaxLength = 63;
    private const int MaxPrefixLength = 253;
    private const string NameRule =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    private const string SubdomainRule =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string ValueRule =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static readonly SearchValues<char> DnsCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Faults of a label key, an annotation key or another qualified name; empty where it is valid.</summary>
    public static IReadOnlyList<string> KeyFaults(string key)
    {
        var faults = new List<string>();
        var parts = key.Split('/');
        if (parts.Length > 2)
        {
            return [$"a qualified name {NameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"];
        }

        if (parts.Length == 2)
        {
            PrefixFaults(parts[0], faults);
        }

        var name = parts[^1];
        if (name.Length == 0)
        {
            faults.Add("name part must be non-empty");
        }
        else if (name.Length > MaxLength)
        {
            faults.Add($"name part must be no more than {MaxLength} bytes");
        }

        if (!IsName(name))
        {
            faults.Add("name part " + NameRule);
        }

        return faults;
    }

    /// <summary>Faults of a label value; empty where it is valid.</summary>
    public static IReadOnlyList<string> ValueFaults(string value)
    {
        var faults = new List<string>();
        if (value.Length > MaxLength)
        {
            faults.Add($"must be no more than {MaxLength} bytes");
        }

        if (value.Length > 0 && !IsName(value))
        {
            faults.Add(ValueRule);
        }

        return faults;
    }

    private static void PrefixFaults(string prefix, List<string> faults)
    {
        if (prefix.Length == 0)
        {
            faults.Add("prefix part must be non-empty");
            return;
        }

        if (prefix.Length > MaxPrefixLength)
        {
            faults.Add($"prefix part must be no more than {MaxPrefixLength} bytes");
        }

        if (!prefix.Split('.').All(IsDnsLabel))
        {
            faults.Add("prefix part " + SubdomainRule);
        }
    }

    private static bool IsName(string s) =>
        s.Length > 0 && char.IsAsciiLetterOrDigit(s[0]) && char.IsAsciiLetterOrDigit(s[^1]) && !s.AsSpan().ContainsAnyExcept(NameCharacters);

    private static bool IsDnsLabel(string s) => s.Length > 0 && s[0] != '-' && s[^1] != '-' && !s.AsSpan().ContainsAnyExcept(DnsCharacters);
}
