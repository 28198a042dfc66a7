using System.Collections.Immutable;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What the runtime has of one pod.</summary>
/// <param name="ObservedAt">When looking began: everything that ended before is in it.</param>
/// <param name="Sandboxes">Newest attempt first.</param>
/// <param name="Containers">Newest first.</param>
internal sealed record RuntimeView(DateTimeOffset ObservedAt, ImmutableArray<SandboxView> Sandboxes, ImmutableArray<ContainerView> Containers)
{
    public static RuntimeView Nothing(DateTimeOffset at) => new(at, [], []);

    /// <summary>The newest instance of a container over all sandboxes.</summary>
    public ContainerView? Latest(string name)
    {
        foreach (var c in Containers)
        {
            if (c.Name == name)
            {
                return c;
            }
        }

        return null;
    }

    /// <summary>The newest instance of a container in one sandbox.</summary>
    public ContainerView? LatestIn(string name, string sandboxId)
    {
        foreach (var c in Containers)
        {
            if (c.Name == name && c.SandboxId == sandboxId)
            {
                return c;
            }
        }

        return null;
    }

    /// <summary>True where a process of the pod runs or may run (the infra container apart).</summary>
    public bool AnyAlive
    {
        get
        {
            foreach (var c in Containers)
            {
                if (c.IsAlive)
                {
                    return true;
                }
            }

            return false;
        }
    }
}

/// <summary>A sandbox.</summary>
internal sealed record SandboxView(string Id, uint Attempt, bool Ready, DateTimeOffset CreatedAt, ImmutableArray<string> IPs)
{
    /// <summary>The runtime handler that it was made with; empty for the default.</summary>
    public string Handler { get; init; } = "";

    public bool Equals(SandboxView? other) =>
        other is not null && Handler == other.Handler && Id == other.Id && Attempt == other.Attempt && Ready == other.Ready && CreatedAt == other.CreatedAt && IPs.SequenceEqual(other.IPs);

    public override int GetHashCode() => Id.GetHashCode(StringComparison.Ordinal);
}

/// <summary>State of a container in the runtime.</summary>
internal enum RunState
{
    Created,
    Running,
    Exited,
    Unknown,
}

/// <summary>One instance of a container.</summary>
internal sealed record ContainerView
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string SandboxId { get; init; }

    /// <summary>0 for the first instance; the status' restartCount.</summary>
    public uint Attempt { get; init; }

    public RunState State { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }

    public int ExitCode { get; init; }

    /// <summary>The runtime's reason: Completed, Error, OOMKilled, StartError, …</summary>
    public string Reason { get; init; } = "";

    /// <summary>The runtime's message, or the container's termination message.</summary>
    public string Message { get; init; } = "";

    /// <summary>Image as the spec named it.</summary>
    public string Image { get; init; } = "";

    /// <summary>Digest reference of the image, or its ID where it has none.</summary>
    public string ImageRef { get; init; } = "";

    /// <summary>Hash of the parts of the spec whose change restarts the container; empty where it was not recorded.</summary>
    public string SpecHash { get; init; } = "";

    public ContainerKind? Kind { get; init; }

    /// <summary>The grace that its pod had when it was created; null where that was not recorded.</summary>
    public TimeSpan? Grace { get; init; }

    public string LogPath { get; init; } = "";

    public RunAs? User { get; init; }

    /// <summary>True where a process runs or may run.</summary>
    public bool IsAlive => State is RunState.Running or RunState.Unknown;
}

/// <summary>Whom a container's first process ran as.</summary>
internal sealed record RunAs(long Uid, long Gid, ImmutableArray<long> SupplementalGroups)
{
    public bool Equals(RunAs? other) =>
        other is not null && Uid == other.Uid && Gid == other.Gid && SupplementalGroups.SequenceEqual(other.SupplementalGroups);

    public override int GetHashCode() => HashCode.Combine(Uid, Gid);
}
