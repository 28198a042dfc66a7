namespace Podhost.Client;

/// <summary>How a client talks to its server.</summary>
public sealed record ApiClientOptions
{
    /// <summary>The server's root; a path in it (a proxy's prefix) is kept.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>The User-Agent header, for example <c>podhost-scheduler/0.1.0</c>.</summary>
    public string UserAgent { get; init; } = "podhost";

    /// <summary>Longest answer to one request, in bytes; a page of a list counts as one.</summary>
    public int MaxResponseBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>Longest event of a watch, in bytes. An object may have 1.5 MiB in etcd; JSON escapes can multiply that.</summary>
    public int MaxWatchLineBytes { get; init; } = 16 * 1024 * 1024;
}
