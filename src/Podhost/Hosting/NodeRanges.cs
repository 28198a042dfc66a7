using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Configuration;
using Podhost.Control.Controllers.NodeIpam;
using Podhost.Network.NodeRoutes;

namespace Podhost.Hosting;

/// <summary>Which range of pod addresses a node has where the control plane gives each node its own.</summary>
internal static partial class NodeRanges
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>An instance with a control plane and a node: with --allocate-node-cidrs its node has the first ranges, else all of --pod-cidr.</summary>
    public static PodhostOptions OfOwnNode(PodhostOptions options) => options.AllocateNodeCidrs
        ? options with { ClusterCidrs = options.PodCidrs, PodCidrs = [.. Cut(options, options.PodCidrs).Select(NodeIpamRules.First)] }
        : options;

    /// <summary>How a control plane cuts its ranges; its own node, where it has one, is known by its part of them.</summary>
    public static NodeIpamOptions Allocation(PodhostOptions options) =>
        new(Cut(options, options.ClusterCidrs ?? options.PodCidrs), options.ClusterCidrs is null ? null : options.NodeName);

    private static List<ClusterRange> Cut(PodhostOptions options, IReadOnlyList<IPNetwork> ranges) =>
        [.. ranges.Select(r => new ClusterRange(r, r.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? options.NodeCidrMaskSizeIPv6 : options.NodeCidrMaskSize))];

    /// <summary>The routes that a node has to others; null: none.</summary>
    public static NodeRouteOptions? Routes(PodhostOptions options) =>
        (options.AllocateNodeCidrs || options.PodCidrFromNode) && options.ContainerRuntimeEndpoint is null && options.CniConfDir is null
            ? new NodeRouteOptions(options.NodeName, options.Bridge, options.PodCidrs, RouteFile(options))
            : null;

    /// <summary>Where the routes of this boot are written down.</summary>
    public static string RouteFile(PodhostOptions options) => Path.Combine(options.RunDir, "node-routes");

    /// <summary>Who gives ranges takes none.</summary>
    /// <exception cref="ConfigurationException">--pod-cidr-from-node was given.</exception>
    public static void RefuseFromNode(PodhostOptions options)
    {
        if (options.PodCidrFromNode)
        {
            throw new ConfigurationException("--pod-cidr-from-node: only a node that joins takes its range (podhost kubelet --kubeconfig)");
        }
    }

    /// <summary>
    /// A node that joined: with --pod-cidr-from-node it has the ranges that its Node object says, which is registered and waited for. They are kept: a later
    /// start with pods asks nobody.
    /// </summary>
    /// <exception cref="ConfigurationException">The range cannot be used, or is not the one that was given.</exception>
    public static async Task<PodhostOptions> OfJoinedNodeAsync(
        PodhostOptions options, IApiClient? client, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        if (!options.PodCidrFromNode || client is null)
        {
            return options;
        }

        var file = Path.Combine(options.DataDir, "kubelet", "pod-cidr");
        var range = File.Exists(file) ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : await AskAsync(options, client, time, logs, cancellationToken);
        var found = OptionParsing.Networks("spec.podCIDRs", range);
        var text = string.Join(',', found);
        if (options.PodCidrGiven && !found.SequenceEqual(options.PodCidrs))
        {
            throw new ConfigurationException($"--pod-cidr: Invalid value: \"{string.Join(',', options.PodCidrs)}\": node {options.NodeName} has spec.podCIDRs {text}: leave --pod-cidr out, or --pod-cidr-from-node");
        }

        var checkedOptions = OptionRules.Check(options with { PodCidrs = found });
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file + ".new", $"{text}\n", cancellationToken);
        File.Move(file + ".new", file, overwrite: true);
        return checkedOptions;
    }

    private static async Task<string> AskAsync(PodhostOptions options, IApiClient client, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        var log = logs.CreateLogger(typeof(NodeRanges).FullName!);
        await RegisterAsync(options, client, time, log, cancellationToken);
        var informerOptions = new InformerOptions { FieldSelector = $"metadata.name={options.NodeName}" };
        var informer = new Informer<V1Node>(client, informerOptions, time, new Random(), log);
        var given = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var subscription = informer.Subscribe(e =>
        {
            if (NodeRangeOf(e.Object) is { } range)
            {
                given.TrySetResult(range);
            }
        });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = informer.RunAsync(stop.Token);
        LogWaiting(log, options.NodeName);
        await Task.WhenAny(given.Task, following);
        await stop.CancelAsync();
        await following;
        cancellationToken.ThrowIfCancellationRequested();
        return await given.Task;
    }

    private static string? NodeRangeOf(V1Node node) =>
        node.Spec?.PodCIDRs is { Count: > 0 } ranges ? string.Join(',', ranges) : node.Spec?.PodCIDR is { Length: > 0 } range ? range : null;

    // The runtime cannot start without a range, and the range is given to a Node: so the Node comes before the kubelet, and is not ready.
    private static async Task RegisterAsync(PodhostOptions options, IApiClient client, TimeProvider time, ILogger log, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var node = new V1Node
        {
            ApiVersion = "v1",
            Kind = "Node",
            Metadata = new V1ObjectMeta { Name = options.NodeName, Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = options.NodeName } },
            Spec = new V1NodeSpec(),
            Status = new V1NodeStatus
            {
                Conditions =
                [
                    new V1NodeCondition
                    {
                        Type = "Ready", Status = "False", Reason = "KubeletNotReady", Message = "waiting for spec.podCIDR", LastHeartbeatTime = now, LastTransitionTime = now,
                    },
                ],
            },
        };
        while (true)
        {
            try
            {
                await client.CreateAsync(node, cancellationToken);
                return;
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                return;
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                LogFailed(log, e.Message);
                await Task.Delay(RetryAfter, time, cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for the range of node {Node} (spec.podCIDR), which a control plane with --allocate-node-cidrs gives")]
    private static partial void LogWaiting(ILogger log, string node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Registering the node failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger log, string error);
}
