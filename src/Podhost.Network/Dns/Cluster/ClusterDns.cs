using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Network.Dns.Server;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Dns.Cluster;

/// <summary>Where the cluster's DNS is served.</summary>
public sealed record ClusterDnsOptions
{
    /// <summary>False: pods ask somebody else; what an earlier start made is removed.</summary>
    public bool IsServed { get; init; } = true;

    /// <summary>The addresses that pods ask, those of the Service kube-dns: one of each family, the first one is in pods' resolv.conf.</summary>
    public required IReadOnlyList<IPAddress> Addresses { get; init; }

    /// <summary>The addresses of this node's own on which the server listens, the Service's endpoints: of each family that the Service has, in its order.</summary>
    public required IReadOnlyList<IPAddress> ServerAddresses { get; init; }

    /// <summary>No data plane of ours serves Services: the device then has the pods' addresses, too, and the server listens on them.</summary>
    public bool HoldsAddress { get; init; }

    /// <summary>The device that holds addresses: the bridge of the pod network, or one of our own.</summary>
    public required string Device { get; init; }

    /// <summary>The device is our own, made for the server's addresses.</summary>
    public bool OwnsDevice { get; init; }

    /// <summary>Who is answered besides the addresses themselves.</summary>
    public required IReadOnlyList<IPNetwork> Clients { get; init; }

    /// <summary>Reverse ranges that are ours.</summary>
    public required IReadOnlyList<IPNetwork> OwnRanges { get; init; }

    /// <summary>The cluster's domain.</summary>
    public string Domain { get; init; } = "cluster.local";

    /// <summary>The node's resolver configuration: who is asked for other names.</summary>
    public string ResolvConf { get; init; } = "/etc/resolv.conf";
}

/// <summary>The kinds that DNS follows; the copies are shared with the controllers.</summary>
/// <param name="Services">All Services.</param>
/// <param name="Slices">All EndpointSlices.</param>
/// <param name="Namespaces">All namespaces.</param>
public sealed record DnsSources(IInformer<V1Service> Services, IInformer<V1EndpointSlice> Slices, IInformer<V1Namespace> Namespaces);

/// <summary>Takes its address, tells the API of the server, and serves. What fails is tried again: pods run without DNS, too.</summary>
/// <param name="options">Where.</param>
/// <param name="client">Writes the Service.</param>
/// <param name="sources">What is served.</param>
/// <param name="time">The clock.</param>
/// <param name="logs">Logs.</param>
public sealed partial class ClusterDns(ClusterDnsOptions options, IApiClient client, DnsSources sources, TimeProvider time, ILoggerFactory logs)
{
    private const int Port = 53;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);
    private readonly ILogger _log = logs.CreateLogger<ClusterDns>();

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var retry = FirstRetry; !cancellationToken.IsCancellationRequested; retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry)
        {
            try
            {
                await ServeAsync(cancellationToken);
            }
            catch (Exception e) when (e is IOException or SocketException or ApiException or HttpRequestException)
            {
                LogFailed(_log, options.Addresses[0], retry, e);
                await Task.Delay(retry, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        if (!options.IsServed || !options.HoldsAddress)
        {
            options.Addresses.ToList().ForEach(address => BridgeAddress.Remove(options.Device, address));
        }

        if (!options.IsServed)
        {
            await KubeDnsService.RemoveAsync(client, cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }

        Hold();

        using var server = new DnsServer(ServerOptions(), sources.Services, sources.Slices, sources.Namespaces, time, logs.CreateLogger<DnsServer>());
        var serving = server.RunAsync(cancellationToken);
        if (!await KubeDnsService.EnsureAsync(client, options.Addresses, options.ServerAddresses, cancellationToken))
        {
            LogServiceTaken(_log, options.Addresses[0]);
        }

        await serving;
    }

    private void Hold()
    {
        IEnumerable<IPAddress> held = [.. options.OwnsDevice ? options.ServerAddresses : [], .. options.HoldsAddress ? options.Addresses : []];
        foreach (var address in held)
        {
            if (!BridgeAddress.TryAdd(options.Device, address, options.OwnsDevice))
            {
                throw new IOException($"there is no bridge {options.Device}");
            }
        }
    }

    private DnsServerOptions ServerOptions() => new()
    {
        Zone = new ZoneOptions { ClusterDomain = options.Domain, ServerAddresses = options.Addresses, OwnRanges = options.OwnRanges },
        Endpoints = [.. options.ServerAddresses.Concat(options.HoldsAddress ? options.Addresses : []).Select(a => new IPEndPoint(a, Port))],
        ResolvConf = options.ResolvConf,
        Clients = [.. options.Clients, .. options.Addresses.Select(a => new IPNetwork(a, a.GetAddressBytes().Length * 8))],
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "the cluster DNS at {Address} does not serve; trying again in {Retry}")]
    private static partial void LogFailed(ILogger logger, IPAddress address, TimeSpan retry, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the name kube-system/kube-dns or the address {Address} belongs to another Service, which is left as it is; if pods shall ask that one, give its address as --cluster-dns")]
    private static partial void LogServiceTaken(ILogger logger, IPAddress address);
}
