namespace Podhost.Kubelet.Pods.Decide;

/// <summary>How an effect ended.</summary>
/// <param name="Effect">The effect.</param>
/// <param name="At">When it ended.</param>
/// <param name="Failure">Null on success.</param>
internal sealed record EffectOutcome(PodEffect Effect, DateTimeOffset At, EffectFailure? Failure)
{
    /// <summary>StartContainer: the new container's ID, also where only starting it failed.</summary>
    public string ContainerId { get; init; } = "";

    /// <summary>StartContainer: true where the container was created, whether it started or not.</summary>
    public bool Created { get; init; }

    /// <summary>InspectImage and PullImage: what was found, or null.</summary>
    public ImageFact? Image { get; init; }

    /// <summary>How long the work took, and how long with the time in the queue.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>As <see cref="Took"/>, with the time spent waiting for a free slot.</summary>
    public TimeSpan TookWithWaiting { get; init; }

    public bool Succeeded => Failure is null;
}

/// <summary>Why an effect failed.</summary>
/// <param name="Kind">What to do about it follows from this.</param>
/// <param name="Reason">Reason as a status shows it, for example <c>CreateContainerConfigError</c>.</param>
/// <param name="Message">Message as a status or event shows it.</param>
internal sealed record EffectFailure(FailureKind Kind, string Reason, string Message);

/// <summary>Classes of failures.</summary>
internal enum FailureKind
{
    /// <summary>It is worth trying again after a while.</summary>
    Transient,

    /// <summary>A reference or a spec must change first; tried again after a while, at once when a reference changes.</summary>
    Config,

    /// <summary>The effect was cancelled because it is not wanted any more.</summary>
    Cancelled,
}

/// <summary>An image on the node.</summary>
/// <param name="Id">ID, what a container is created from.</param>
/// <param name="SizeBytes">Size in bytes.</param>
internal sealed record ImageFact(string Id, ulong SizeBytes)
{
    /// <summary>True where the pod has not shown yet that it may use the image: it must pull it although it is here.</summary>
    public bool NeedsPull { get; init; }
}
