using System.Globalization;
using System.Text.RegularExpressions;

namespace Podhost.Api.CustomResources;

/// <summary>The order of API versions: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, v11alpha2, foo1, foo10.</summary>
/// <remarks>https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority</remarks>
public sealed partial class VersionOrder : IComparer<string>
{
    /// <summary>The order: what clients should prefer comes first.</summary>
    public static VersionOrder Instance { get; } = new();

    /// <inheritdoc />
    public int Compare(string? x, string? y)
    {
        var (left, right) = (Read(x ?? ""), Read(y ?? ""));
        return (left, right) switch
        {
            (null, null) => string.CompareOrdinal(x, y),
            (null, _) => 1,
            (_, null) => -1,
            var (l, r) => r.Value.CompareTo(l.Value),
        };
    }

    /// <summary>How stable a version is: 2 for v1, 1 for v1beta1, 0 for v1alpha1, -1 for names of another form.</summary>
    public static int Stability(string version) => Read(version)?.Stability ?? -1;

    private static (int Stability, long Major, long Minor)? Read(string version)
    {
        var match = Form().Match(version);
        if (!match.Success)
        {
            return null;
        }

        var stability = match.Groups[2].Value switch { "alpha" => 0, "beta" => 1, _ => 2 };
        return (stability, Number(match.Groups[1].Value), Number(match.Groups[3].Value));
    }

    private static long Number(string digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex(@"\Av([1-9][0-9]{0,17})(?:(alpha|beta)([1-9][0-9]{0,17}))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
