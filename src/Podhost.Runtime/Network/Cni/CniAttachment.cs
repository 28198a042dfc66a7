using System.Text.Json.Serialization;

namespace Podhost.Runtime.Network.Cni;

/// <summary>
/// An attachment on disk, written before ADD: whatever happens afterwards, a crash, a reboot, another configuration, DEL finds the
/// configuration that ADD had, as the specification asks.
/// </summary>
internal sealed record CniAttachment
{
    public required string SandboxId { get; init; }

    public required string NamespacePath { get; init; }

    /// <summary>CNI_ARGS.</summary>
    public required string Arguments { get; init; }

    /// <summary>The whole configuration list.</summary>
    public required string Configuration { get; init; }

    /// <summary>runtimeConfig of all capabilities.</summary>
    public required string Capabilities { get; init; }

    /// <summary>What ADD gave; null before it returned.</summary>
    public string? Result { get; init; }
}

[JsonSerializable(typeof(CniAttachment))]
internal sealed partial class CniJson : JsonSerializerContext;
