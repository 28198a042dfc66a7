using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// ConfigMaps and Secrets whose manifests lie beside those of static pods: for a kubelet without an API server. Services and tokens there are none.
/// </summary>
public sealed class ManifestObjects : IObjectSource
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, ObjectNames> tracked = new(StringComparer.Ordinal);
    private Dictionary<(string Namespace, string Name), (string Uid, V1ConfigMap Map)> maps = [];
    private Dictionary<(string Namespace, string Name), (string Uid, V1Secret Secret)> secrets = [];

    /// <inheritdoc/>
    public event Action<IReadOnlyCollection<string>>? Changed;

    /// <inheritdoc/>
    public ValueTask<V1ConfigMap?> GetConfigMapAsync(string ns, string name, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return ValueTask.FromResult(maps.TryGetValue((ns, name), out var found) ? found.Map : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<V1Secret?> GetSecretAsync(string ns, string name, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return ValueTask.FromResult(secrets.TryGetValue((ns, name), out var found) ? found.Secret : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<V1Service>?> GetServicesAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<V1Service>?>([]);

    /// <inheritdoc/>
    public ValueTask<V1TokenRequestStatus> CreateTokenAsync(
        string ns, string serviceAccount, string? audience, long expirationSeconds, V1Pod boundTo, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("a kubelet without an API server has no service-account tokens");

    /// <inheritdoc/>
    public void Track(V1Pod pod)
    {
        lock (gate)
        {
            tracked[pod.Metadata.Uid] = ObjectNames.Of(pod);
        }
    }

    /// <inheritdoc/>
    public void Untrack(string podUid)
    {
        lock (gate)
        {
            tracked.Remove(podUid);
        }
    }

    /// <summary>Everything that is there now. Of two objects of one name the first counts.</summary>
    internal void Replace(IReadOnlyList<StaticManifest> manifests)
    {
        var newMaps = manifests.Where(m => m.ConfigMap is not null).DistinctBy(m => Key(m.ConfigMap!.Metadata)).ToDictionary(m => Key(m.ConfigMap!.Metadata), m => (m.Uid, m.ConfigMap!));
        var newSecrets = manifests.Where(m => m.Secret is not null).DistinctBy(m => Key(m.Secret!.Metadata)).ToDictionary(m => Key(m.Secret!.Metadata), m => (m.Uid, m.Secret!));
        string[] users;
        lock (gate)
        {
            var changedMaps = newMaps.Keys.Concat(maps.Keys).Where(k => newMaps.GetValueOrDefault(k).Uid != maps.GetValueOrDefault(k).Uid).ToHashSet();
            var changedSecrets = newSecrets.Keys.Concat(secrets.Keys).Where(k => newSecrets.GetValueOrDefault(k).Uid != secrets.GetValueOrDefault(k).Uid).ToHashSet();
            (maps, secrets) = (newMaps, newSecrets);
            users = [.. tracked.Where(t => t.Value.ConfigMaps.Overlaps(changedMaps) || t.Value.Secrets.Overlaps(changedSecrets)).Select(t => t.Key)];
        }

        if (users.Length > 0)
        {
            Changed?.Invoke(users);
        }
    }

    private static (string, string) Key(V1ObjectMeta metadata) => (metadata.NamespaceProperty, metadata.Name);
}
