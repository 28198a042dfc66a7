namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>Outcome of one attempt.</summary>
internal enum ProbeVerdict
{
    /// <summary>Healthy.</summary>
    Success,

    /// <summary>Healthy, with something to say (a redirect to elsewhere).</summary>
    Warning,

    /// <summary>Unhealthy.</summary>
    Failure,

    /// <summary>The attempt itself did not work; nothing follows from it.</summary>
    Unknown,
}

/// <summary>Outcome of one attempt with its output or the reason.</summary>
internal readonly record struct ProbeOutcome(ProbeVerdict Verdict, string Output)
{
    public static ProbeOutcome Success(string output = "") => new(ProbeVerdict.Success, output);

    public static ProbeOutcome Warning(string output) => new(ProbeVerdict.Warning, output);

    public static ProbeOutcome Failure(string output) => new(ProbeVerdict.Failure, output);

    public static ProbeOutcome Unknown(string output) => new(ProbeVerdict.Unknown, output);
}
