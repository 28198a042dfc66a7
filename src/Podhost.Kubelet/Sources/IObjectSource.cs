using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>Objects that pods refer to. With an API server they come from watches of just the names in use; standalone they are absent.</summary>
public interface IObjectSource
{
    /// <summary>A ConfigMap, or null where it does not exist.</summary>
    ValueTask<V1ConfigMap?> GetConfigMapAsync(string ns, string name, CancellationToken cancellationToken);

    /// <summary>A Secret, or null where it does not exist.</summary>
    ValueTask<V1Secret?> GetSecretAsync(string ns, string name, CancellationToken cancellationToken);

    /// <summary>Services of a namespace, for service variables; null where services are not known yet (the container must wait).</summary>
    ValueTask<IReadOnlyList<V1Service>?> GetServicesAsync(CancellationToken cancellationToken);

    /// <summary>A bound service-account token.</summary>
    ValueTask<V1TokenRequestStatus> CreateTokenAsync(string ns, string serviceAccount, string? audience, long expirationSeconds, V1Pod boundTo, CancellationToken cancellationToken);

    /// <summary>A claim, read now, with the volume that it is bound to; null where there is none.</summary>
    ValueTask<(V1PersistentVolumeClaim? Claim, V1PersistentVolume? Volume)> GetClaimAsync(string ns, string name, CancellationToken cancellationToken) => ValueTask.FromResult<(V1PersistentVolumeClaim?, V1PersistentVolume?)>((null, null));

    /// <summary>The node as it is in the API now; null without an API server.</summary>
    ValueTask<V1Node?> GetNodeAsync(CancellationToken cancellationToken) => ValueTask.FromResult<V1Node?>(null);

    /// <summary>Declares the objects that a pod refers to, so that they are watched; an empty pod reference ends it.</summary>
    void Track(V1Pod pod);

    /// <summary>Ends the watches of a pod's objects that nobody else uses.</summary>
    void Untrack(string podUid);

    /// <summary>Raised with the pod UIDs that use an object which changed.</summary>
    event Action<IReadOnlyCollection<string>>? Changed;
}
