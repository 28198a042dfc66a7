using System.Numerics;
using System.Text.RegularExpressions;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>A semantic version; builds are kept and not compared.</summary>
internal sealed partial record CelSemver(ulong Major, ulong Minor, ulong Patch, string Pre) : IComparable<CelSemver>
{
    /// <summary>Reads a version; null where it is none. Normalizing takes a leading v and zeros away and adds missing parts.</summary>
    public static CelSemver? TryParse(string text, bool normalize)
    {
        var match = (normalize ? Loose() : Strict()).Match(text);
        if (!match.Success || match.Groups["pre"].Value.Split('.').Any(p => p.Length > 1 && p[0] == '0' && p.All(char.IsAsciiDigit)))
        {
            return null;
        }

        return Part(match, "major") is { } major && Part(match, "minor") is { } minor && Part(match, "patch") is { } patch
            ? new CelSemver(major, minor, patch, match.Groups["pre"].Value)
            : null;
    }

    public int CompareTo(CelSemver? other)
    {
        if (other is null)
        {
            return 1;
        }

        var order = (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
        return order != 0 ? order : ComparePre(Pre, other.Pre);
    }

    private static ulong? Part(Match match, string name) =>
        match.Groups[name] is { Success: true } g ? (ulong.TryParse(g.ValueSpan, out var n) ? n : null) : 0;

    private static int ComparePre(string a, string b)
    {
        if (a.Length == 0 || b.Length == 0)
        {
            return b.Length.CompareTo(a.Length) is var order && order != 0 ? Math.Sign(order) : 0;
        }

        var (left, right) = (a.Split('.'), b.Split('.'));
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            var isNumber = left[i].All(char.IsAsciiDigit);
            var order = isNumber != right[i].All(char.IsAsciiDigit) ? (isNumber ? -1 : 1)
                : isNumber ? BigInteger.Parse(left[i], null).CompareTo(BigInteger.Parse(right[i], null))
                : Math.Sign(string.CompareOrdinal(left[i], right[i]));
            if (order != 0)
            {
                return order;
            }
        }

        return left.Length.CompareTo(right.Length);
    }

    [GeneratedRegex(@"^(?<major>0|[1-9]\d*)\.(?<minor>0|[1-9]\d*)\.(?<patch>0|[1-9]\d*)(-(?<pre>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Strict();

    [GeneratedRegex(@"^\s*v?(?<major>\d+)(\.(?<minor>\d+)(\.(?<patch>\d+)(-(?<pre>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?)?)?\s*\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Loose();
}

/// <summary>The semver library, version 1.</summary>
internal static class Semvers
{
    public static void AddTo(FunctionTable t)
    {
        t.Add("semver", "string_to_semver", "(string) Semver", a => Parse((string)a[0], normalize: false));
        t.Add("semver", "string_bool_to_semver", "(string, bool) Semver", a => Parse((string)a[0], (bool)a[1]));
        t.Add("isSemver", "is_semver_string", "(string) bool", a => Boxes.Of(CelSemver.TryParse((string)a[0], normalize: false) is not null));
        t.Add("isSemver", "is_semver_string_bool", "(string, bool) bool", a => Boxes.Of(CelSemver.TryParse((string)a[0], (bool)a[1]) is not null));
        t.Add("isGreaterThan", "semver_is_greater_than", "Semver.(Semver) bool", a => Boxes.Of(Compare(a) > 0));
        t.Add("isLessThan", "semver_is_less_than", "Semver.(Semver) bool", a => Boxes.Of(Compare(a) < 0));
        t.Add("compareTo", "semver_compare_to", "Semver.(Semver) int", a => (long)Math.Sign(Compare(a)));
        t.Add("major", "semver_major", "Semver.() int", a => (long)((CelSemver)a[0]).Major);
        t.Add("minor", "semver_minor", "Semver.() int", a => (long)((CelSemver)a[0]).Minor);
        t.Add("patch", "semver_patch", "Semver.() int", a => (long)((CelSemver)a[0]).Patch);
    }

    private static object Parse(string text, bool normalize) =>
        CelSemver.TryParse(text, normalize) is { } version ? version : new CelError($"failed to parse semver \"{text}\"");

    private static int Compare(object[] a) => ((CelSemver)a[0]).CompareTo((CelSemver)a[1]);
}
