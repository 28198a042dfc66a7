namespace Podhost.Doctor;

/// <summary>What one check found, what it means and how to mend it.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Check">What was looked at.</param>
/// <param name="Text">What was found.</param>
/// <param name="Advice">What it means and what to do; empty where all is well.</param>
internal sealed record Finding(FindingLevel Level, string Check, string Text, string Advice = "")
{
    public static Finding Ok(string check, string text) => new(FindingLevel.Ok, check, text);

    public static Finding Warning(string check, string text, string advice) => new(FindingLevel.Warning, check, text, advice);

    public static Finding Error(string check, string text, string advice) => new(FindingLevel.Error, check, text, advice);
}

/// <summary>How bad a finding is.</summary>
internal enum FindingLevel
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, with something missing.</summary>
    Warning,

    /// <summary>Podhost cannot work like this.</summary>
    Error,
}
