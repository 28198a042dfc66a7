using System.Text.RegularExpressions;
using Podhost.Api.Validation;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>A named format: what is wrong with a string, and the size of its pattern for costs.</summary>
internal sealed record NamedFormat(string Name, int MaxRegexSize, Func<string, IEnumerable<string>> Faults)
{
    public bool Equals(NamedFormat? other) => other?.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}

/// <summary>The format library.</summary>
internal static partial class Formats
{
    /// <summary>The longest pattern of a name's format.</summary>
    public const int MaxNameRegexSize = 128;

    private static readonly Dictionary<string, NamedFormat> All = new NamedFormat[]
    {
        new("dns1123Label", 30, Names.DnsLabel),
        new("dns1123Subdomain", 60, Names.DnsSubdomain),
        new("dns1035Label", 30, Names.Dns1035Label),
        new("qualifiedName", 60, Names.Qualified),
        new("dns1123LabelPrefix", 30, Names.Prefix(Names.DnsLabel)),
        new("dns1123SubdomainPrefix", 60, Names.Prefix(Names.DnsSubdomain)),
        new("dns1035LabelPrefix", 30, Names.Prefix(Names.Dns1035Label)),
        new("labelValue", 40, Names.LabelValue),
        new("uri", 1500, s => CelUrl.TryParse(s) is null ? [$"parse \"{s}\": invalid URI for request"] : []),
        new("uuid", 80, s => Uuid().IsMatch(s) ? [] : ["does not match the UUID format"]),
        new("byte", 80, s => Base64().IsMatch(s) && s.Length % 4 == 0 ? [] : ["invalid base64"]),
        new("date", 150, s => CelTimestamp.TryParseDate(s) is null ? ["invalid date"] : []),
        new("datetime", 150, s => CelTimestamp.TryParse(s) is null ? ["invalid datetime"] : []),
    }.ToDictionary(f => f.Name, StringComparer.Ordinal);

    public static void AddTo(FunctionTable t)
    {
        foreach (var (name, format) in All)
        {
            t.Add($"format.{name}", $"format.{name}", "() Format", _ => format);
        }

        t.Add("format.named", "format-named", "(string) optional(Format)",
            a => All.TryGetValue((string)a[0], out var format) ? new CelOptional(format) : CelOptional.None);
        t.Add("validate", "format-validate", "Format.(string) optional(list(string))", a => Validate((NamedFormat)a[0], (string)a[1]));
    }

    private static CelOptional Validate(NamedFormat format, string text)
    {
        var faults = format.Faults(text).ToList();
        return faults.Count == 0 ? CelOptional.None : new CelOptional(new ArrayList([.. faults]));
    }

    [GeneratedRegex(@"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Uuid();

    [GeneratedRegex(@"^[A-Za-z0-9+/]*={0,2}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Base64();
}
