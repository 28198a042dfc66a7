namespace Podhost.Cri.Client;

/// <summary>How to reach an external runtime.</summary>
public sealed record CriClientOptions
{
    /// <summary>Path of the unix socket, with or without "unix://".</summary>
    public required string Endpoint { get; init; }

    /// <summary>The kubelet's runtimeRequestTimeout: the deadline of ordinary calls.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Bytes of the largest message in both directions; the kubelet's own bound is 16 MiB.</summary>
    public int MaxMessageSize { get; init; } = 16 * 1024 * 1024;
}
