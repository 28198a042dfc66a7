using k8s.Models;
using Podhost.Client;
using Podhost.Client.Informers;

namespace Podhost.Network.Dns.Zones;

/// <summary>Keeps the zone as the informers say, a new one for each change.</summary>
internal sealed class ZoneFeed : IDisposable
{
    private const string ServiceName = "kubernetes.io/service-name";
    private readonly IInformer<V1Service> _services;
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, Dictionary<string, V1EndpointSlice>> _slices = [];
    private readonly List<IDisposable> _subscriptions = [];
    private volatile Zone _zone;

    /// <summary>Begins to follow; the first objects are there when the informers are synced.</summary>
    public ZoneFeed(IInformer<V1Service> services, IInformer<V1EndpointSlice> slices, IInformer<V1Namespace> namespaces, uint serial)
    {
        _services = services;
        _zone = Zone.Empty(serial);
        Synced = Task.WhenAll(services.Synced, slices.Synced, namespaces.Synced);
        _subscriptions.Add(namespaces.Subscribe(OnNamespace));
        _subscriptions.Add(slices.Subscribe(OnSlice));
        _subscriptions.Add(services.Subscribe(OnService));
    }

    /// <summary>The newest zone.</summary>
    public Zone Zone => _zone;

    /// <summary>Everything that there was is in the zone.</summary>
    public Task Synced { get; }

    /// <inheritdoc/>
    public void Dispose() => _subscriptions.ForEach(s => s.Dispose());

    private void OnNamespace(InformerEvent<V1Namespace> e)
    {
        lock (_gate)
        {
            _zone = e.Type == WatchEventKind.Modified ? _zone : _zone.With(e.Object.Metadata.Name, exists: e.Type != WatchEventKind.Deleted);
        }
    }

    private void OnService(InformerEvent<V1Service> e)
    {
        lock (_gate)
        {
            Refresh(ObjectKey.Of(e.Object), e.Type == WatchEventKind.Deleted ? null : e.Object);
        }
    }

    private void OnSlice(InformerEvent<V1EndpointSlice> e)
    {
        lock (_gate)
        {
            // A slice may be given to another Service by its label.
            var (before, after) = (ServiceOf(e.Previous), e.Type == WatchEventKind.Deleted ? null : ServiceOf(e.Object));
            foreach (var key in new[] { before, ServiceOf(e.Object) }.OfType<ObjectKey>().Distinct())
            {
                var slices = _slices.TryGetValue(key, out var known) ? known : _slices[key] = [];
                if (key == after)
                {
                    slices[e.Object.Metadata.Name] = e.Object;
                }
                else
                {
                    slices.Remove(e.Object.Metadata.Name);
                }

                if (slices.Count == 0)
                {
                    _slices.Remove(key);
                }

                Refresh(key, _services.Get(key.Namespace, key.Name));
            }
        }
    }

    private void Refresh(ObjectKey key, V1Service? service)
    {
        var slices = _slices.TryGetValue(key, out var known) ? known.Values : (IEnumerable<V1EndpointSlice>)[];
        _zone = _zone.With(key.Namespace, key.Name, service is null ? null : ServiceEntry.Of(service, slices));
    }

    private static ObjectKey? ServiceOf(V1EndpointSlice? slice) =>
        slice?.Metadata.Labels is { } labels && labels.TryGetValue(ServiceName, out var name) ? new ObjectKey(slice.Metadata.NamespaceProperty, name) : null;
}
