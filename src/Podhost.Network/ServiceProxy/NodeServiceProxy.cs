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
/// Makes Services work on a node: follows Services and EndpointSlices and keeps one nftables table equal to them. What changes while a
/// transaction runs goes into the next one. The kernel does the work: the table stays and serves when this process ends.
/// </summary>
public sealed partial class NodeServiceProxy
{
    private const byte Udp = 17;
    private readonly IInformer<V1Service> _services;
    private readonly IInformer<V1EndpointSlice> _slices;
    private readonly INftables _nftables;
    private readonly IConntrack _conntrack;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RetryDelay _retry;
    private readonly string _table;
    private readonly Lock _gate = new();
    private readonly ServiceBook _book;
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Ruleset? _applied;
    private IReadOnlyDictionary<(string? Address, int Port), string>? _cleaned;

    /// <summary>A proxy.</summary>
    /// <param name="options">The node.</param>
    /// <param name="services">All Services.</param>
    /// <param name="slices">All EndpointSlices.</param>
    /// <param name="nftables">Takes the rules.</param>
    /// <param name="conntrack">Forgets UDP flows.</param>
    /// <param name="time">The clock of retry delays.</param>
    /// <param name="random">Jitter of retry delays.</param>
    /// <param name="logger">Failures are told here and tried again.</param>
    public NodeServiceProxy(
        ServiceProxyOptions options,
        IInformer<V1Service> services,
        IInformer<V1EndpointSlice> slices,
        INftables nftables,
        IConntrack conntrack,
        TimeProvider time,
        Random random,
        ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_services, _slices, _nftables, _conntrack, _time, _logger) = (services, slices, nftables, conntrack, time, logger);
        _retry = new RetryDelay(options.MinRetryDelay, options.MaxRetryDelay, random);
        _table = NftNames.Services(options.Bridge);
        _book = new ServiceBook(new NodeFacts(options.NodeName, options.PodCidr, BridgedTraffic.IsSeen()));
    }

    /// <summary>Runs until cancelled; the table stays.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A table that an earlier run left serves on until all is known that the new one has to say.
        await Task.WhenAll(_services.Synced, _slices.Synced).WaitAsync(cancellationToken);
        using var services = _services.Subscribe(e => Change(book => Put(book, e)));
        using var slices = _slices.Subscribe(e => Change(book => Put(book, e)));
        _changed.Writer.TryWrite(true);
        try
        {
            await foreach (var _ in _changed.Reader.ReadAllAsync(cancellationToken))
            {
                await SynchronizeAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
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
            await ApplyAsync(rules, cancellationToken);
            _retry.Reset();
        }
        catch (IOException failure)
        {
            var delay = _retry.Next();
            LogRefused(failure, _table, delay.TotalSeconds);
            await Task.Delay(delay, _time, cancellationToken);
            _changed.Writer.TryWrite(true);
            return;
        }

        CleanFlows(udp);
    }

    private async Task ApplyAsync(Ruleset rules, CancellationToken cancellationToken)
    {
        if (_applied is { } applied)
        {
            var script = RulesetScript.Change(_table, applied, rules);
            _applied = null;
            try
            {
                if (script.Length > 0)
                {
                    await _nftables.ApplyAsync(script, cancellationToken);
                }

                _applied = rules;
                return;
            }
            catch (IOException failure)
            {
                LogForeignChange(failure, _table);
            }
        }

        await RepairAsync(rules, cancellationToken);
        _applied = rules;
    }

    private async Task RepairAsync(Ruleset rules, CancellationToken cancellationToken)
    {
        try
        {
            var present = await _nftables.ReadNamesAsync(_table, cancellationToken);
            await _nftables.ApplyAsync(RulesetScript.Repair(_table, present, rules), cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            LogReplaced(failure, _table);
            await _nftables.ApplyAsync(RulesetScript.Replace(_table, rules), cancellationToken);
        }
    }

    private void CleanFlows(IReadOnlyDictionary<(string? Address, int Port), string> udp)
    {
        var changed = StaleFlows.Changed(_cleaned ?? new Dictionary<(string?, int), string>(), udp);
        try
        {
            if (changed.Count > 0)
            {
                foreach (var flow in StaleFlows.Find(_conntrack.List(Udp), changed, NodeAddresses()))
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
    private partial void LogRefused(Exception failure, string table, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "table {Table} is not as it was left; it is repaired")]
    private partial void LogForeignChange(Exception failure, string table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "table {Table} could not be repaired; it is replaced whole")]
    private partial void LogReplaced(Exception failure, string table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "UDP flows to endpoints that are gone could not be forgotten")]
    private partial void LogFlowsLeft(Exception failure);
}
