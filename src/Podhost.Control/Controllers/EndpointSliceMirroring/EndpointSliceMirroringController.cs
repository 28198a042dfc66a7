using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.EndpointSlices;

namespace Podhost.Control.Controllers.EndpointSliceMirroring;

/// <summary>Writes EndpointSlices for Endpoints that somebody wrote for a Service without a selector: what serves traffic reads slices only.</summary>
public sealed class EndpointSliceMirroringController : IController
{
    private static readonly string[] Families = ["IPv4", "IPv6"];
    private readonly IApiClient _client;
    private readonly IInformer<V1Service> _services;
    private readonly IInformer<V1Endpoints> _endpoints;
    private readonly IInformer<V1EndpointSlice> _slices;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes slices.</param>
    /// <param name="services">All Services.</param>
    /// <param name="endpoints">All Endpoints.</param>
    /// <param name="slices">All slices, to repair what others change.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public EndpointSliceMirroringController(
        IApiClient client, IInformer<V1Service> services, IInformer<V1Endpoints> endpoints, IInformer<V1EndpointSlice> slices, TimeProvider time, ILoggerFactory logs)
    {
        _client = client;
        _services = services;
        _endpoints = endpoints;
        _slices = slices;
        _time = time;
        _log = logs.CreateLogger<EndpointSliceMirroringController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_services.Synced, _endpoints.Synced, _slices.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<ObjectKey>(new WorkQueueOptions(), _time, _log);
        using var services = _services.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        using var endpoints = _endpoints.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        using var slices = _slices.Subscribe(e =>
        {
            if (ServiceOf(e.Object) is { } service)
            {
                queue.Add(service);
            }
        });
        await queue.RunAsync(1, ReconcileAsync, cancellationToken);
    }

    private static ObjectKey? ServiceOf(V1EndpointSlice slice) =>
        slice.Metadata.Labels is { } labels
        && labels.TryGetValue(SliceRules.ManagedBy, out var by) && by == MirrorRules.Manager
        && labels.TryGetValue(SliceRules.ServiceName, out var name)
            ? new ObjectKey(slice.Metadata.NamespaceProperty, name)
            : null;

    private async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var endpoints = _endpoints.Get(key.Namespace, key.Name);
        var mirrored = endpoints is not null && _services.Get(key.Namespace, key.Name) is { } service && MirrorRules.IsMirrored(service, endpoints);
        if (!mirrored && !_slices.List().Any(s => ServiceOf(s) == key))
        {
            return;
        }

        // From the server, not from the copy: names are generated, and a slice that the copy does not show yet would be made twice.
        var selector = $"{SliceRules.ServiceName}={key.Name},{SliceRules.ManagedBy}={MirrorRules.Manager}";
        var present = (await _client.ListAsync<V1EndpointSlice>(key.Namespace, new ListQuery(selector), cancellationToken)).Items;
        if (!mirrored)
        {
            await SliceWriter.ApplyAsync(_client, new SlicePlan([], [], [.. present]), cancellationToken);
            return;
        }

        foreach (var family in Families)
        {
            var groups = MirrorRules.Groups(endpoints!, family);
            var plan = SlicePlanner.Plan(MirrorRules.Template(endpoints!), family, present.Where(s => s.AddressType == family), groups);
            await SliceWriter.ApplyAsync(_client, plan, cancellationToken);
        }
    }
}
