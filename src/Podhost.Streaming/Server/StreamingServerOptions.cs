using System.Net;

namespace Podhost.Streaming.Server;

/// <summary>Settings of the streaming server.</summary>
public sealed record StreamingServerOptions
{
    /// <summary>Where it listens: loopback, since the kubelet beside it is its only client and a token is the only key.</summary>
    public IPEndPoint Endpoint { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>How long a URL may wait for its client.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Most URLs that wait for their clients.</summary>
    public int MaxTokens { get; init; } = 1000;

    /// <summary>How long a client may take to open its streams.</summary>
    public TimeSpan StreamCreationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often an idle session is probed for a vanished client.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(30);
}
