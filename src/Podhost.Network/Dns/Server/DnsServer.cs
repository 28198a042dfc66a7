using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client.Informers;
using Podhost.Network.Dns.Answers;
using Podhost.Network.Dns.Upstream;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Dns.Server;

/// <summary>The cluster's DNS server: listens, answers from the newest snapshot of Services, and asks the node's nameservers for other names.</summary>
public sealed class DnsServer : IDisposable
{
    private readonly ZoneFeed _feed;
    private readonly List<Listeners> _listeners = [];

    /// <summary>Binds the sockets; nothing is answered yet.</summary>
    /// <param name="options">The server.</param>
    /// <param name="services">All Services.</param>
    /// <param name="slices">All EndpointSlices.</param>
    /// <param name="namespaces">All namespaces.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Its log.</param>
    /// <exception cref="System.Net.Sockets.SocketException">An address is not there, or in use.</exception>
    public DnsServer(
        DnsServerOptions options,
        IInformer<V1Service> services,
        IInformer<V1EndpointSlice> slices,
        IInformer<V1Namespace> namespaces,
        TimeProvider time,
        ILogger log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        // As with a zone file: a number that grows over restarts too.
        _feed = new ZoneFeed(services, slices, namespaces, (uint)time.GetUtcNow().ToUnixTimeSeconds());
        var forwarder = new Forwarder(new NameserverList(options.ResolvConf, options.UpstreamPort, options.Endpoints, time), options, time);
        var handler = new QueryHandler(() => _feed.Zone, new Responder(new ZoneLookup(options.Zone)), forwarder);
        try
        {
            foreach (var endpoint in options.Endpoints)
            {
                _listeners.Add(new Listeners(endpoint, handler, options, time, log));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints => [.. _listeners.Select(l => l.Endpoint)];

    /// <summary>Answers from the moment at which all Services are known, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _feed.Synced.WaitAsync(cancellationToken);
        await Task.WhenAll(_listeners.Select(l => l.RunAsync(cancellationToken)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listeners.ForEach(l => l.Dispose());
        _feed.Dispose();
    }
}
