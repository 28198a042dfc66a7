using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>A kubelet without an API server: no object exists, and there are no services to wait for.</summary>
public sealed class StandaloneObjectSource : IObjectSource
{
    /// <inheritdoc/>
    public event Action<IReadOnlyCollection<string>>? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public ValueTask<V1ConfigMap?> GetConfigMapAsync(string ns, string name, CancellationToken cancellationToken) => ValueTask.FromResult<V1ConfigMap?>(null);

    /// <inheritdoc/>
    public ValueTask<V1Secret?> GetSecretAsync(string ns, string name, CancellationToken cancellationToken) => ValueTask.FromResult<V1Secret?>(null);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<V1Service>?> GetServicesAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<V1Service>?>([]);

    /// <inheritdoc/>
    public ValueTask<V1TokenRequestStatus> CreateTokenAsync(
        string ns, string serviceAccount, string? audience, long expirationSeconds, V1Pod boundTo, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("a kubelet without an API server has no service-account tokens");

    /// <inheritdoc/>
    public void Track(V1Pod pod)
    {
    }

    /// <inheritdoc/>
    public void Untrack(string podUid)
    {
    }
}
