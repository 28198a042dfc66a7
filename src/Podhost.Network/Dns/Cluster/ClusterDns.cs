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

    /// <summary>The address that pods ask, that of the Service kube-dns.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>The address of this node's own on which the server listens, the Service's endpoint.</summary>
    public required IPAddress ServerAddress { get; init; }

    /// <summary>No data plane of ours serves Services: the device then has the pods' address, too, and the server listens on it.</summary>
    public bool HoldsAddress { get; init; }

    /// <summary>The device that holds addresses: the bridge of the pod network, or one of our own.</summary>
    public required string Device { get; init; }

    /// <summary>The device is our own, made for the server's address.</summary>
    public bool OwnsDevice { get; init; }

    /// <summary>Who is answered besides the address itself.</summary>
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
                LogFailed(_log, options.Address, retry, e);
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
            BridgeAddress.Remove(options.Device, options.Address);
        }

        if (!options.IsServed)
        {
            await KubeDnsService.RemoveAsync(client, cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }

        Hold();

        using var server = new DnsServer(ServerOptions(), sources.Services, sources.Slices, sources.Namespaces, time, logs.CreateLogger<DnsServer>());
        var serving = server.RunAsync(cancellationToken);
        if (!await KubeDnsService.EnsureAsync(client, options.Address, options.ServerAddress, cancellationToken))
        {
            LogServiceTaken(_log, options.Address);
        }

        await serving;
    }

    private void Hold()
    {
        IEnumerable<IPAddress> held = [.. options.OwnsDevice ? [options.ServerAddress] : (IPAddress[])[], .. options.HoldsAddress ? [options.Address] : (IPAddress[])[]];
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
        Zone = new ZoneOptions { ClusterDomain = options.Domain, ServerAddress = options.Address, OwnRanges = options.OwnRanges },
        Endpoints = [new IPEndPoint(options.ServerAddress, Port), .. options.HoldsAddress ? [new IPEndPoint(options.Address, Port)] : (IPEndPoint[])[]],
        ResolvConf = options.ResolvConf,
        Clients = [.. options.Clients, new IPNetwork(options.Address, 32)],
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "the cluster DNS at {Address} does not serve; trying again in {Retry}")]
    private static partial void LogFailed(ILogger logger, IPAddress address, TimeSpan retry, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the name kube-system/kube-dns or the address {Address} belongs to another Service, which is left as it is; if pods shall ask that one, give its address as --cluster-dns")]
    private static partial void LogServiceTaken(ILogger logger, IPAddress address);
}
