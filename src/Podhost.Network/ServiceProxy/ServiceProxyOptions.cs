using System.Net;

namespace Podhost.Network.ServiceProxy;

/// <summary>The node that a proxy works for.</summary>
public sealed record ServiceProxyOptions
{
    /// <summary>The node's name.</summary>
    public required string NodeName { get; init; }

    /// <summary>The bridge of the pod network; the table is named after it.</summary>
    public required string Bridge { get; init; }

    /// <summary>The range of this node's pods of the family that the proxy serves: clients outside it are masqueraded.</summary>
    public required IPNetwork PodCidr { get; init; }

    /// <summary>First delay after rules were refused; doubled up to <see cref="MaxRetryDelay"/>, with jitter.</summary>
    public TimeSpan MinRetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest delay after failures.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);
}
