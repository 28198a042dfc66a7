using System.Text.Json.Nodes;
using Podhost.Api.Validation;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>The policy of a namespace in each of the three modes.</summary>
/// <param name="Enforce">What is refused.</param>
/// <param name="Audit">What is recorded.</param>
/// <param name="Warn">What the client is warned of.</param>
/// <remarks>Source: upstream's pod-security-admission/api, PolicyToEvaluate.</remarks>
public readonly record struct NamespacePolicy(LevelVersion Enforce, LevelVersion Audit, LevelVersion Warn)
{
    /// <summary>Prefix of the labels.</summary>
    public const string LabelPrefix = "pod-security.kubernetes.io/";

    /// <summary>privileged:latest in all modes.</summary>
    public static NamespacePolicy Privileged { get; } = new(LevelVersion.Privileged, LevelVersion.Privileged, LevelVersion.Privileged);

    /// <summary>True where no mode has anything to say.</summary>
    public bool IsPrivileged => Enforce.Level == PolicyLevel.Privileged && Audit.Level == PolicyLevel.Privileged && Warn.Level == PolicyLevel.Privileged;

    /// <summary>The policy that a namespace's labels ask for.</summary>
    /// <param name="labels">metadata.labels of the namespace.</param>
    /// <param name="defaults">What holds where a label is missing.</param>
    /// <param name="errors">Labels whose values are no levels or versions. A faulty enforce level counts as restricted, a faulty audit or warn level as privileged.</param>
    public static NamespacePolicy Of(JsonObject? labels, NamespacePolicy defaults, out IReadOnlyList<FieldError> errors)
    {
        var faults = new List<FieldError>();
        errors = faults;
        return labels is null
            ? defaults
            : new NamespacePolicy(
                Mode("enforce", labels, defaults.Enforce, PolicyLevel.Restricted, faults),
                Mode("audit", labels, defaults.Audit, PolicyLevel.Privileged, faults),
                Mode("warn", labels, defaults.Warn, PolicyLevel.Privileged, faults));
    }

    /// <summary>The modes that are not privileged: <c>enforce=baseline:latest, warn=restricted:v1.30</c>.</summary>
    public override string ToString()
    {
        (string Mode, LevelVersion Policy)[] modes = [("enforce", Enforce), ("audit", Audit), ("warn", Warn)];
        return string.Join(", ", modes.Where(m => m.Policy.Level != PolicyLevel.Privileged).Select(m => $"{m.Mode}={m.Policy}"));
    }

    private static LevelVersion Mode(string mode, JsonObject labels, LevelVersion defaults, PolicyLevel atFault, List<FieldError> errors)
    {
        var (level, version) = (defaults.Level, defaults.Version);
        var levelLabel = LabelPrefix + mode;
        if (labels.ContainsKey(levelLabel) && !LevelVersion.TryParseLevel(Meta.Text(labels[levelLabel]), out level))
        {
            level = atFault;
            errors.Add(FieldError.InvalidString($"metadata.labels[{levelLabel}]", Meta.Text(labels[levelLabel]), "must be one of privileged, baseline, restricted"));
        }

        var versionLabel = levelLabel + "-version";
        if (labels.ContainsKey(versionLabel) && !PolicyVersion.TryParse(Meta.Text(labels[versionLabel]), out version))
        {
            errors.Add(FieldError.InvalidString($"metadata.labels[{versionLabel}]", Meta.Text(labels[versionLabel]), "must be \"latest\" or \"v1.x\""));
        }

        return new LevelVersion(level, version);
    }
}
