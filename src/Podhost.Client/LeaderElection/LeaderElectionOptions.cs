namespace Podhost.Client.LeaderElection;

/// <summary>Which Lease decides, and how fast. LeaseDuration &gt; RenewDeadline &gt; RetryPeriod.</summary>
public sealed record LeaderElectionOptions
{
    /// <summary>Namespace of the Lease.</summary>
    public string Namespace { get; init; } = "kube-system";

    /// <summary>Name of the Lease, for example <c>kube-scheduler</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Unique name of this candidate.</summary>
    public required string Identity { get; init; }

    /// <summary>How long others wait after the last renewal that they saw.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the leader tries to renew before it gives up.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between tries.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);
}
