namespace Podhost.Api.Validation.Pods;

/// <summary>What the rules of a container need to know of its pod.</summary>
/// <param name="Spec">The pod's spec.</param>
/// <param name="Volumes">The valid volumes by name.</param>
internal sealed record PodScope(Field Spec, IReadOnlyDictionary<string, Field> Volumes)
{
    public string RestartPolicy => Spec["restartPolicy"].Text;

    /// <summary>Seconds of grace, or null where they are not set.</summary>
    public long? Grace => Spec["terminationGracePeriodSeconds"] is { IsSet: true } grace ? grace.Number : null;

    public bool HostUsers => !Spec["hostUsers"].IsFalse;

    public string Os => Spec["os"]["name"].Text;
}
