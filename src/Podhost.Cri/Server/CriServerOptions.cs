namespace Podhost.Cri.Server;

/// <summary>Where the embedded runtime offers CRI to others (crictl, an upstream kubelet).</summary>
public sealed record CriServerOptions
{
    /// <summary>Path of the unix socket. A file that a crashed process left there is replaced.</summary>
    public required string SocketPath { get; init; }

    /// <summary>Bytes of the largest message in both directions; the kubelet's own bound is 16 MiB.</summary>
    public int MaxMessageSize { get; init; } = 16 * 1024 * 1024;
}
