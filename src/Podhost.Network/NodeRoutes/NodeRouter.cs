using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Linux.Netlink;
using Podhost.Linux.Nftables;

namespace Podhost.Network.NodeRoutes;

/// <summary>
/// Routes to the pods of other nodes by the nodes' addresses ("host-gw"): the nodes must be on one link. They follow the Node objects, stay when podhost
/// ends, and go with the Node or at a reset.
/// </summary>
public sealed partial class NodeRouter
{
    private readonly NodeRouteOptions _options;
    private readonly IInformer<V1Node> _nodes;
    private readonly INftables _nftables;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyDictionary<IPNetwork, IPAddress>? _present;

    /// <summary>The routes of a node.</summary>
    /// <param name="options">Whose.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="nftables">Takes the rules.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Tells of routes.</param>
    public NodeRouter(NodeRouteOptions options, IInformer<V1Node> nodes, INftables nftables, TimeProvider time, ILogger log) =>
        (_options, _nodes, _nftables, _time, _log) = (options, nodes, nftables, time, log);

    /// <summary>Runs until cancelled; the routes stay.</summary>
    /// <exception cref="InvalidOperationException">The node has another range than its pods.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _nodes.Synced.WaitAsync(cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var queue = new WorkQueue<string>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(30) }, _time, _log);
        using var nodes = _nodes.Subscribe(e => queue.Add("routes"));
        queue.Add("routes");
        var running = queue.RunAsync(1, (_, end) => SynchronizeAsync(end), stop.Token);
        if (await Task.WhenAny(running, _moved.Task) == _moved.Task)
        {
            await stop.CancelAsync();
        }

        await running;
        if (_moved.Task.IsFaulted)
        {
            await _moved.Task;
        }
    }

    /// <summary>Removes the routes of an instance and their table. Idempotent.</summary>
    /// <param name="bridge">The bridge.</param>
    /// <param name="stateFile">As in <see cref="NodeRouteOptions"/>.</param>
    /// <param name="nftables">Takes the rules.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task RemoveAsync(string bridge, string stateFile, INftables nftables, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nftables);
        await NftNames.RemoveAsync(nftables, NftNames.NodeRoutes(bridge), cancellationToken);
        var made = RouteFile.Read(stateFile);
        if (made.Count > 0)
        {
            using var socket = NetlinkSocket.Open();
            var netlink = new RouteNetlink(socket);
            made.ForEach(netlink.DeleteRoute);
        }
    }

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        if (_nodes.Get(null, _options.NodeName) is { } own && NodeRouteRules.RangesOf(own) is { Count: > 0 } ranges && !_options.PodCidrs.All(ranges.Contains))
        {
            _moved.TrySetException(new InvalidOperationException(
                $"node {_options.NodeName} has spec.podCIDRs {string.Join(',', ranges)}, but its pods are in {string.Join(',', _options.PodCidrs)}: drain it, reset it (podhost reset) and start it again"));
            return;
        }

        var wanted = NodeRouteRules.Wanted(_nodes.List(), _options);
        if (_present is not null && _present.Count == wanted.Count && _present.All(r => wanted.TryGetValue(r.Key, out var gateway) && gateway.Equals(r.Value)))
        {
            return;
        }

        // What is written down may be there; so what is there is written down.
        var before = RouteFile.Read(_options.StateFile);
        RouteFile.Write(_options.StateFile, before.Union(wanted.Keys));
        await _nftables.ApplyAsync(NodeRouteRules.Table(_options, wanted.Keys), cancellationToken);
        Change(before.Where(r => !wanted.ContainsKey(r)), wanted);
        RouteFile.Write(_options.StateFile, wanted.Keys);
        _present = wanted;
        LogRoutes(wanted.Count, string.Join(", ", wanted.Select(r => $"{r.Key} by {r.Value}")));
    }

    // One route that cannot be does not keep the others away; it is tried again.
    private static void Change(IEnumerable<IPNetwork> unwanted, IReadOnlyDictionary<IPNetwork, IPAddress> wanted)
    {
        using var socket = NetlinkSocket.Open();
        var netlink = new RouteNetlink(socket);
        var failures = new List<string>();
        foreach (var range in unwanted)
        {
            netlink.DeleteRoute(range);
        }

        foreach (var (range, gateway) in wanted)
        {
            try
            {
                netlink.SetRoute(range, gateway);
            }
            catch (IOException e)
            {
                failures.Add(e.Message);
            }
        }

        if (failures.Count > 0)
        {
            throw new IOException($"{failures.Count} of {wanted.Count} routes to other nodes' pods cannot be made (the nodes must be on one link): {string.Join("; ", failures.Take(3))}");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Routes to pods of {Count} other nodes: {Routes}")]
    private partial void LogRoutes(int count, string routes);
}
