using System.Text.Json.Serialization;
using Podhost.Cri.V1;

namespace Podhost.Runtime.State;

/// <summary>Where a container stands. Never goes backwards.</summary>
internal enum ContainerPhase
{
    /// <summary>CreateContainer has not returned; after a crash it is undone.</summary>
    Creating,

    /// <summary>Made, no process yet.</summary>
    Created,

    /// <summary>StartContainer has not returned; after a crash it is finished.</summary>
    Starting,

    /// <summary>Its process lives.</summary>
    Running,

    /// <summary>Its process ended, or could not be started.</summary>
    Exited,

    /// <summary>Being removed; after a crash the removal is finished.</summary>
    Removing,
}

/// <summary>A container as it is kept on disk.</summary>
internal sealed record ContainerRecord
{
    private ContainerConfig? _config;

    public required string Id { get; init; }

    public required string SandboxId { get; init; }

    /// <summary>CRI's ContainerConfig in protobuf form.</summary>
    public required byte[] ConfigBytes
    {
        get;
        init
        {
            field = value;
            _config = null; // A copy with other bytes must not keep what the old ones said.
        }
    }

    public ContainerPhase Phase { get; init; }

    /// <summary>The OCI runtime that runs it.</summary>
    public required string RuntimePath { get; init; }

    public required string CgroupPath { get; init; }

    /// <summary>Absolute path of the log; null for none.</summary>
    public string? LogPath { get; init; }

    /// <summary>The image's id.</summary>
    public required string ImageId { get; init; }

    /// <summary>The digest reference of the image, for status.</summary>
    public required string ImageRef { get; init; }

    public int StopSignal { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public IReadOnlyList<uint> Groups { get; init; } = [];

    /// <summary>It has a PID namespace of its own: its first process takes all others with it.</summary>
    public bool OwnPidNamespace { get; init; }

    /// <summary>Keys of image mounts, to be undone with it.</summary>
    public IReadOnlyList<string> ImageMountKeys { get; init; } = [];

    /// <summary>Nanoseconds since 1970, as the other times; 0 for not yet.</summary>
    public long CreatedAt { get; init; }

    public long StartedAt { get; init; }

    public long FinishedAt { get; init; }

    public int Pid { get; init; }

    public ulong StartTime { get; init; }

    public int ConmonPid { get; init; }

    public ulong ConmonStartTime { get; init; }

    public int ExitCode { get; init; }

    public string Reason { get; init; } = string.Empty;

    public string Message { get; init; } = string.Empty;

    [JsonIgnore]
    public ContainerConfig Config => _config ??= ContainerConfig.Parser.ParseFrom(ConfigBytes);

    [JsonIgnore]
    public bool HasProcess => Phase is ContainerPhase.Starting or ContainerPhase.Running;
}
