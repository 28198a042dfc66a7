using System.Globalization;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>A version of the policy: <c>v1.N</c>, or <c>latest</c>, which is newer than all others.</summary>
/// <param name="Minor">N, or <see cref="int.MaxValue"/> for latest.</param>
public readonly record struct PolicyVersion(int Minor)
{
    /// <summary>The newest version that the server knows.</summary>
    public static PolicyVersion Latest { get; } = new(int.MaxValue);

    /// <summary>Reads <c>latest</c> or <c>v1.N</c>.</summary>
    public static bool TryParse(string text, out PolicyVersion version)
    {
        version = Latest;
        if (text == "latest")
        {
            return true;
        }

        if (!text.StartsWith("v1.", StringComparison.Ordinal) || text.Length is < 4 or > 9 || (text[3] == '0' && text.Length > 4)
            || !int.TryParse(text.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
        {
            return false;
        }

        version = new PolicyVersion(minor);
        return true;
    }

    /// <inheritdoc />
    public override string ToString() => this == Latest ? "latest" : string.Create(CultureInfo.InvariantCulture, $"v1.{Minor}");
}

/// <summary>How strict a policy is; a greater value is stricter.</summary>
public enum PolicyLevel
{
    /// <summary>Everything is allowed.</summary>
    Privileged,

    /// <summary>Known privilege escalations are not.</summary>
    Baseline,

    /// <summary>Current practice of hardening pods is required.</summary>
    Restricted,
}

/// <summary>A level at a version, printed as <c>restricted:latest</c>.</summary>
public readonly record struct LevelVersion(PolicyLevel Level, PolicyVersion Version)
{
    /// <summary>privileged:latest.</summary>
    public static LevelVersion Privileged { get; } = new(PolicyLevel.Privileged, PolicyVersion.Latest);

    /// <summary>Reads a level's name.</summary>
    public static bool TryParseLevel(string text, out PolicyLevel level)
    {
        level = text switch
        {
            "privileged" => PolicyLevel.Privileged,
            "baseline" => PolicyLevel.Baseline,
            _ => PolicyLevel.Restricted,
        };
        return text is "privileged" or "baseline" or "restricted";
    }

    /// <inheritdoc />
    public override string ToString() => $"{Level.ToString().ToLowerInvariant()}:{Version}";
}
