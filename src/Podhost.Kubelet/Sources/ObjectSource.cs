using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Api.Objects;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// Objects that pods refer to, from an API server: a watch of each single name in use, as long as a pod uses it, so that a node never sees
/// more secrets than its pods. Reading is from the watch's copy, or through it where the watch has not answered yet.
/// </summary>
public sealed class ObjectSource : IObjectSource, IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly IApiClient client;
    private readonly string nodeName;
    private readonly IInformer<V1Service> services;
    private readonly NamedWatches<V1ConfigMap> configMaps;
    private readonly NamedWatches<V1Secret> secrets;
    private readonly Dictionary<string, ObjectNames> tracked = new(StringComparer.Ordinal);

    /// <summary>Builds the source.</summary>
    /// <param name="client">The client with the node's identity.</param>
    /// <param name="nodeName">The node.</param>
    /// <param name="services">All services, for service variables; run by the composition root.</param>
    /// <param name="time">Clock of retries.</param>
    /// <param name="logger">Log.</param>
    public ObjectSource(IApiClient client, string nodeName, IInformer<V1Service> services, TimeProvider time, ILogger<ObjectSource> logger)
    {
        this.client = client;
        this.nodeName = nodeName;
        this.services = services;
        configMaps = new NamedWatches<V1ConfigMap>(client, time, logger, (ns, name) => Tell(n => n.ConfigMaps.Contains((ns, name))));
        secrets = new NamedWatches<V1Secret>(client, time, logger, (ns, name) => Tell(n => n.Secrets.Contains((ns, name))));
    }

    /// <inheritdoc/>
    public event Action<IReadOnlyCollection<string>>? Changed;

    /// <inheritdoc/>
    public ValueTask<V1ConfigMap?> GetConfigMapAsync(string ns, string name, CancellationToken cancellationToken) => configMaps.GetAsync(ns, name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<V1Secret?> GetSecretAsync(string ns, string name, CancellationToken cancellationToken) => secrets.GetAsync(ns, name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<V1Service>?> GetServicesAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(services.Synced.IsCompletedSuccessfully ? services.List() : null);

    /// <inheritdoc/>
    public async ValueTask<V1TokenRequestStatus> CreateTokenAsync(
        string ns, string serviceAccount, string? audience, long expirationSeconds, V1Pod boundTo, CancellationToken cancellationToken)
    {
        var request = new Authenticationv1TokenRequest
        {
            ApiVersion = "authentication.k8s.io/v1",
            Kind = "TokenRequest",
            Spec = new V1TokenRequestSpec
            {
                Audiences = string.IsNullOrEmpty(audience) ? [] : [audience],
                ExpirationSeconds = expirationSeconds,
                BoundObjectRef = new V1BoundObjectReference { ApiVersion = "v1", Kind = "Pod", Name = boundTo.Metadata.Name, Uid = boundTo.Metadata.Uid },
            },
        };
        var answer = await client.PostSubresourceAsync<V1ServiceAccount>(ns, serviceAccount, "token", ObjectCodec.ToObject(request), cancellationToken).ConfigureAwait(false);
        return ObjectCodec.ToModel<Authenticationv1TokenRequest>(answer).Status
            ?? throw ApiException.Internal($"the token of {ns}/{serviceAccount} came without a status");
    }

    /// <inheritdoc/>
    public async ValueTask<(V1PersistentVolumeClaim? Claim, V1PersistentVolume? Volume)> GetClaimAsync(string ns, string name, CancellationToken cancellationToken)
    {
        try
        {
            var claim = await client.GetAsync<V1PersistentVolumeClaim>(ns, name, cancellationToken).ConfigureAwait(false);
            return string.IsNullOrEmpty(claim.Spec.VolumeName)
                ? (claim, null)
                : (claim, await client.GetAsync<V1PersistentVolume>(null, claim.Spec.VolumeName, cancellationToken).ConfigureAwait(false));
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return (null, null);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<V1Node?> GetNodeAsync(CancellationToken cancellationToken) =>
        await client.GetAsync<V1Node>(null, nodeName, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public void Track(V1Pod pod)
    {
        lock (gate)
        {
            tracked[pod.Metadata.Uid] = ObjectNames.Of(pod);
            Retain();
        }
    }

    /// <inheritdoc/>
    public void Untrack(string podUid)
    {
        lock (gate)
        {
            tracked.Remove(podUid);
            Retain();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await configMaps.DisposeAsync().ConfigureAwait(false);
        await secrets.DisposeAsync().ConfigureAwait(false);
    }

    private void Retain()
    {
        configMaps.Retain([.. tracked.Values.SelectMany(n => n.ConfigMaps)]);
        secrets.Retain([.. tracked.Values.SelectMany(n => n.Secrets)]);
    }

    private void Tell(Func<ObjectNames, bool> uses)
    {
        string[] uids;
        lock (gate)
        {
            uids = [.. tracked.Where(t => uses(t.Value)).Select(t => t.Key)];
        }

        if (uids.Length > 0)
        {
            Changed?.Invoke(uids);
        }
    }
}
