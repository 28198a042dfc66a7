using Podhost.Kubelet.Server.Metrics;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>A pod's part of a summary.</summary>
/// <param name="Usage">The pod, and what the runtime says.</param>
/// <param name="Figures">What it uses as a whole.</param>
/// <param name="NanoCores">Its rate.</param>
/// <param name="Containers">Its running containers.</param>
/// <param name="Disk">Its volumes and logs; null where the kubelet no longer knows the pod.</param>
internal sealed record PodFigures(PodUsage Usage, UsageFigures Figures, ulong NanoCores, IReadOnlyList<ContainerFigures> Containers, PodDisk? Disk)
{
    /// <summary>Interfaces of its own network.</summary>
    public IReadOnlyList<InterfaceCounters> Interfaces { get; init; } = [];

    /// <summary>What it holds of the node's disk: volumes there, layers and logs.</summary>
    public DiskFigures? EphemeralStorage { get; init; }
}

/// <summary>A container's part of a summary.</summary>
/// <param name="Name">Its name.</param>
/// <param name="StartedAt">When it started; null where that is not known.</param>
/// <param name="Figures">What it uses.</param>
/// <param name="NanoCores">Its rate.</param>
/// <param name="Layer">Its writable layer.</param>
/// <param name="Logs">Its logs.</param>
internal sealed record ContainerFigures(string Name, DateTimeOffset? StartedAt, UsageFigures Figures, ulong NanoCores, DiskFigures? Layer, DiskFigures? Logs);
