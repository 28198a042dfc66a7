using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>A whole instance: control plane, controllers and node, started in the order in which they need each other.</summary>
internal sealed partial class Cluster : IAsyncDisposable
{
    private readonly PodhostOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;

    public Cluster(PodhostOptions options, TimeProvider time)
    {
        _options = NodeRanges.OfOwnNode(options);
        _time = time;
        _logs = LogSetup.Create(options.LogLevel);
        _log = _logs.CreateLogger<Cluster>();
    }

    /// <summary>Runs until cancelled; pods keep running afterwards.</summary>
    /// <param name="onReady">Called once when the node is ready.</param>
    /// <param name="cancellationToken">Stops the instance.</param>
    public async Task RunAsync(Action onReady, CancellationToken cancellationToken)
    {
        // The runtime first takes over what runs while the control plane opens its store: neither needs the other.
        var addresses = NodeAddress.All(_options);
        var runtimeStart = RuntimeHost.StartAsync(_options, _time, _logs, cancellationToken);
        await using var plane = await ControlPlane.StartAsync(_options, addresses, _time, _logs, cancellationToken);
        await using var runtime = await runtimeStart;
        var controllers = new Controllers(plane, _options, _time, _logs) { Dns = DnsSettings.ServerOf(_options, addresses) };
        var serving = plane.Pki.KubeletServer(_options.NodeName, addresses);
        var node = new NodeHost(
            _options,
            plane.ClientOf($"system:node:{_options.NodeName}", "system:nodes"),
            runtime.Runtime,
            runtime.Images,
            new KubeletCertificates(() => serving, [plane.Pki.Authority]),
            _time,
            _logs)
        {
            ClusterDns = DnsSettings.Nameservers(_options),
            ServiceProxyClient = _options.ServiceProxy == false ? null : plane.ClientOf("system:kube-proxy"),
        };
        await Loops.RunAllAsync(
            [plane.CompactAsync, controllers.RunAsync, node.RunAsync, stop => runtime.Completion.WaitAsync(stop), stop => AnnounceAsync(plane, onReady, stop),
                stop => QuietMemory.RunAsync(_time, stop)],
            cancellationToken);
    }

    // Ready is what the API says of the node, seen by a watch.
    private async Task AnnounceAsync(ControlPlane plane, Action onReady, CancellationToken cancellationToken)
    {
        var client = plane.ClientOf("system:apiserver", "system:masters");
        var query = new WatchQuery(FieldSelector: $"metadata.name={_options.NodeName}", SendInitialEvents: true);
        await foreach (var change in client.WatchAsync<V1Node>(null, query, cancellationToken))
        {
            if (change.Object.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true)
            {
                LogReady(_options.NodeName, _options.AdminKubeconfig);
                onReady();
                return;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _logs.Dispose();
        return ValueTask.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {Node} is ready; export KUBECONFIG={Kubeconfig}")]
    private partial void LogReady(string node, string kubeconfig);
}
