using System.Net;
using System.Net.NetworkInformation;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Linux.Netlink;
using Podhost.Linux.Nftables;
using Podhost.Network.ServiceProxy.Flows;
using Podhost.Network.ServiceProxy.Model;
using Podhost.Network.ServiceProxy.Rules;

namespace Podhost.Network.ServiceProxy;

/// <summary>
/// Makes Services work on a node: follows Services and EndpointSlices and keeps one nftables table equal to them. A proxy serves one address
/// family, that of the pods' range; a node of both has two. What changes while a
/// transaction runs goes into the next one. The kernel does the work: the table stays and serves when this process ends.
/// </summary>
public sealed partial class NodeServiceProxy
{
    private const byte Udp = 17;
    private readonly IInformer<V1Service> _services;
    private readonly IInformer<V1EndpointSlice> _slices;
    private readonly IConntrack _conntrack;
    private readonly Func<INftTableWatch> _watch;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RetryDelay _retry;
    private readonly ServiceTable _table;
    private readonly Lock _gate = new();
    private readonly ServiceBook _book;
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private IReadOnlyDictionary<(string? Address, int Port), string>? _cleaned;

    /// <summary>A proxy.</summary>
    /// <param name="options">The node.</param>
    /// <param name="services">All Services.</param>
    /// <param name="slices">All EndpointSlices.</param>
    /// <param name="nftables">Takes the rules.</param>
    /// <param name="conntrack">Forgets UDP flows.</param>
    /// <param name="watch">Begins to watch for the removal of tables.</param>
    /// <param name="time">The clock of retry delays.</param>
    /// <param name="random">Jitter of retry delays.</param>
    /// <param name="logger">Failures are told here and tried again.</param>
    public NodeServiceProxy(
        ServiceProxyOptions options,
        IInformer<V1Service> services,
        IInformer<V1EndpointSlice> slices,
        INftables nftables,
        IConntrack conntrack,
        Func<INftTableWatch> watch,
        TimeProvider time,
        Random random,
        ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_services, _slices, _conntrack, _watch, _time, _logger) = (services, slices, conntrack, watch, time, logger);
        _retry = new RetryDelay(options.MinRetryDelay, options.MaxRetryDelay, random);
        var family = NftFamily.Of(options.PodCidr);
        _table = new ServiceTable(new NftTable(family, NftNames.Services(options.Bridge)), nftables, logger);
        _book = new ServiceBook(new NodeFacts(options.NodeName, options.PodCidr, BridgedTraffic.IsSeen(family)));
    }

    /// <summary>Runs until cancelled; the table stays.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A table that an earlier run left serves on until all is known that the new one has to say.
        await Task.WhenAll(_services.Synced, _slices.Synced).WaitAsync(cancellationToken);
        using var services = _services.Subscribe(e => Change(book => Put(book, e)));
        using var slices = _slices.Subscribe(e => Change(book => Put(book, e)));
        _changed.Writer.TryWrite(true);
        var watching = WatchTableAsync(cancellationToken);
        try
        {
            await await Task.WhenAny(FollowAsync(cancellationToken), watching);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _changed.Reader.ReadAllAsync(cancellationToken))
        {
            await SynchronizeAsync(cancellationToken);
        }
    }

    // A firewall that reloads its rules takes the table away: it is written anew at once.
    private async Task WatchTableAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var watch = _watch();
            while (true)
            {
                await watch.WaitAsync(_table.Table.Family, _table.Table.Name, cancellationToken);
                _table.Suspect();
                _changed.Writer.TryWrite(true);
            }
        }
        catch (IOException failure)
        {
            // A lost table is then found by the next change.
            LogNotWatched(failure, _table.Table);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
        }
    }

    private static void Put(ServiceBook book, InformerEvent<V1Service> change)
    {
        if (change.Type == WatchEventKind.Deleted)
        {
            book.Remove(change.Object);
        }
        else
        {
            book.Put(change.Object);
        }
    }

    private static void Put(ServiceBook book, InformerEvent<V1EndpointSlice> change)
    {
        if (change.Type == WatchEventKind.Deleted)
        {
            book.Remove(change.Previous ?? change.Object);
        }
        else
        {
            book.Put(change.Object, change.Previous);
        }
    }

    private void Change(Action<ServiceBook> change)
    {
        lock (_gate)
        {
            change(_book);
        }

        _changed.Writer.TryWrite(true);
    }

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        Ruleset rules;
        IReadOnlyDictionary<(string? Address, int Port), string> udp;
        lock (_gate)
        {
            (rules, udp) = (_book.Rules(), _book.Udp());
        }

        try
        {
            await _table.WriteAsync(rules, cancellationToken);
            _retry.Reset();
        }
        catch (IOException failure)
        {
            var delay = _retry.Next();
            LogRefused(failure, _table.Table, delay.TotalSeconds);
            await Task.Delay(delay, _time, cancellationToken);
            _changed.Writer.TryWrite(true);
            return;
        }

        CleanFlows(udp);
    }

    private void CleanFlows(IReadOnlyDictionary<(string? Address, int Port), string> udp)
    {
        var changed = StaleFlows.Changed(_cleaned ?? new Dictionary<(string?, int), string>(), udp);
        try
        {
            if (changed.Count > 0)
            {
                foreach (var flow in StaleFlows.Find(_conntrack.List(Udp, _table.Table.Family.Addresses), changed, NodeAddresses()))
                {
                    _conntrack.Delete(flow);
                }
            }

            _cleaned = udp;
        }
        catch (IOException failure)
        {
            // Tried again with the next change: rules do not wait for it.
            LogFlowsLeft(failure);
        }
    }

    private static HashSet<IPAddress> NodeAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)];

    [LoggerMessage(Level = LogLevel.Error, Message = "the rules of the Services in table {Table} could not be written; trying again in {Seconds} s")]
    private partial void LogRefused(Exception failure, NftTable table, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the removal of table {Table} would not be noticed at once")]
    private partial void LogNotWatched(Exception failure, NftTable table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "UDP flows to endpoints that are gone could not be forgotten")]
    private partial void LogFlowsLeft(Exception failure);
}
