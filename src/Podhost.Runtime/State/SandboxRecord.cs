using System.Text.Json.Serialization;
using Google.Protobuf;
using Podhost.Cri.V1;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.State;

/// <summary>Where a sandbox stands. Never goes backwards.</summary>
internal enum SandboxPhase
{
    /// <summary>RunPodSandbox has not returned; after a crash it is undone.</summary>
    Creating,

    /// <summary>The infra process lives.</summary>
    Ready,

    /// <summary>Stopped, or the infra process died. Its network may still be there until <see cref="SandboxRecord.NetworkReleased"/>.</summary>
    NotReady,

    /// <summary>Being removed; after a crash the removal is finished.</summary>
    Removing,
}

/// <summary>A sandbox as it is kept on disk.</summary>
internal sealed record SandboxRecord
{
    private PodSandboxConfig? _config;

    public required string Id { get; init; }

    /// <summary>CRI's PodSandboxConfig in protobuf form: complete and small.</summary>
    public required byte[] ConfigBytes
    {
        get;
        init
        {
            field = value;
            _config = null; // A copy with other bytes must not keep what the old ones said.
        }
    }

    public string RuntimeHandler { get; init; } = string.Empty;

    public SandboxPhase Phase { get; init; }

    /// <summary>Nanoseconds since 1970.</summary>
    public long CreatedAt { get; init; }

    /// <summary>The pod's address; null on the host's network or before it has one.</summary>
    public string? Address { get; init; }

    /// <summary>Further addresses, of the other family.</summary>
    public IReadOnlyList<string>? AdditionalAddresses { get; init; }

    public int InfraPid { get; init; }

    /// <summary>Start time of the infra process in clock ticks: tells it from a later process of the same id.</summary>
    public ulong InfraStartTime { get; init; }

    /// <summary>The infra process was started by the OCI runtime, which keeps state of its own for it.</summary>
    public bool InfraIsContainer { get; init; }

    public bool NetworkReleased { get; init; }

    [JsonIgnore]
    public PodSandboxConfig Config => _config ??= PodSandboxConfig.Parser.ParseFrom(ConfigBytes);

    [JsonIgnore]
    public NamespaceOption Namespaces => Config.Linux?.SecurityContext?.NamespaceOptions ?? new NamespaceOption();

    /// <summary>The users of the pod; null for the machine's own.</summary>
    [JsonIgnore]
    public UserMapping? Users => UserMapping.Of(Namespaces.UsernsOptions);

    [JsonIgnore]
    public string CgroupPath => $"{CgroupParent}/{Id}";

    /// <summary>The cgroup of the pod; set from the options where the request names none.</summary>
    public required string CgroupParent { get; init; }

    internal static byte[] Pack(IMessage message) => message.ToByteArray();
}
