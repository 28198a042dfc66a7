using k8s;
using k8s.Models;
using Podhost.Client;
using Podhost.Client.Informers;

namespace Podhost.Network.Tests.Dns;

/// <summary>A copy that the test changes.</summary>
internal sealed class FakeInformer<T> : IInformer<T> where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Dictionary<string, T> _objects = [];
    private readonly List<Action<InformerEvent<T>>> _handlers = [];

    public Task Synced => Task.CompletedTask;

    public T? Get(string? ns, string name) => _objects.GetValueOrDefault($"{ns}/{name}");

    public IReadOnlyList<T> List() => [.. _objects.Values];

    public IDisposable Subscribe(Action<InformerEvent<T>> handler)
    {
        _handlers.Add(handler);
        foreach (var obj in _objects.Values)
        {
            handler(new InformerEvent<T>(WatchEventKind.Added, obj, null));
        }

        return new CancellationTokenSource();
    }

    public InformerIndex<T> AddIndex(Func<T, IEnumerable<string>> valuesOf)
    {
        var index = new InformerIndex<T>(valuesOf);
        Subscribe(e => index.Replace(e.Previous, e.Type == WatchEventKind.Deleted ? null : e.Object));
        return index;
    }

    public Task RunAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Put(T obj)
    {
        var key = $"{obj.Metadata.NamespaceProperty}/{obj.Metadata.Name}";
        var before = _objects.GetValueOrDefault(key);
        _objects[key] = obj;
        _handlers.ForEach(h => h(new InformerEvent<T>(before is null ? WatchEventKind.Added : WatchEventKind.Modified, obj, before)));
    }

    public void Remove(string ns, string name)
    {
        if (_objects.Remove($"{ns}/{name}", out var obj))
        {
            _handlers.ForEach(h => h(new InformerEvent<T>(WatchEventKind.Deleted, obj, obj)));
        }
    }
}
