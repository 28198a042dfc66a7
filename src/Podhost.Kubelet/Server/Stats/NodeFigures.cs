using Podhost.Kubelet.Server.Metrics;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>The node's part of a summary.</summary>
/// <param name="Usage">What the machine uses.</param>
/// <param name="NanoCores">Its rate.</param>
internal sealed record NodeFigures(NodeUsage Usage, ulong NanoCores)
{
    /// <summary>The kubelet, the runtime, all pods together.</summary>
    public IReadOnlyList<SystemContainer> SystemContainers { get; init; } = [];

    /// <summary>Interfaces of the machine but those of pods.</summary>
    public IReadOnlyList<InterfaceCounters> Interfaces { get; init; } = [];

    /// <summary>The file system of the kubelet's directory.</summary>
    public DiskFigures? Disk { get; init; }

    /// <summary>Where the runtime keeps images; null where it does not say.</summary>
    public DiskFigures? Images { get; init; }

    /// <summary>Where the runtime keeps what containers write; null where it does not say.</summary>
    public DiskFigures? Containers { get; init; }
}

/// <summary>A part of the system.</summary>
/// <param name="Name"><c>kubelet</c>, <c>runtime</c>, <c>pods</c>.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="Usage">What it uses.</param>
/// <param name="NanoCores">Its rate.</param>
internal sealed record SystemContainer(string Name, DateTimeOffset StartedAt, UsageFigures Usage, ulong NanoCores);
