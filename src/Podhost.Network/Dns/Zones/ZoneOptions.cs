using System.Net;

namespace Podhost.Network.Dns.Zones;

/// <summary>What the zone is about.</summary>
public sealed record ZoneOptions
{
    /// <summary>The cluster's domain.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>The addresses that pods ask.</summary>
    public required IReadOnlyList<IPAddress> ServerAddresses { get; init; }

    /// <summary>Ranges whose addresses have no other names than the cluster's: of an unknown one nobody else is asked.</summary>
    public IReadOnlyList<IPNetwork> OwnRanges { get; init; } = [];

    /// <summary>How long an answer, or a denial, may be kept, in seconds: a change is seen after this time at the latest.</summary>
    public uint Ttl { get; init; } = 5;
}
