using System.Net;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Dns;

/// <summary>A cluster DNS server.</summary>
public sealed record DnsServerOptions
{
    /// <summary>What it serves.</summary>
    public required ZoneOptions Zone { get; init; }

    /// <summary>Where it listens, UDP and TCP. Addresses of this node's own.</summary>
    public required IReadOnlyList<IPEndPoint> Endpoints { get; init; }

    /// <summary>Who is answered: pods and this node. Others get no answer at all, so that nobody is flooded through us.</summary>
    public required IReadOnlyList<IPNetwork> Clients { get; init; }

    /// <summary>The file that names the nameservers for all other names; it is read again when it changes.</summary>
    public string ResolvConf { get; init; } = "/etc/resolv.conf";

    /// <summary>Port of those nameservers.</summary>
    public int UpstreamPort { get; init; } = 53;

    /// <summary>How long one nameserver may take. Resolvers in pods give up after five seconds.</summary>
    public TimeSpan UpstreamTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Most questions to nameservers at a time; more are answered SERVFAIL at once.</summary>
    public int MaxUpstreamQueries { get; init; } = 150;

    /// <summary>Most TCP connections at a time; more are closed at once.</summary>
    public int MaxConnections { get; init; } = 128;

    /// <summary>How long a TCP connection may be idle.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
