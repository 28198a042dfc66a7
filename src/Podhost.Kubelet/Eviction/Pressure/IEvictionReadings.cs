using k8s.Models;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>What the eviction manager knows of the machine.</summary>
internal interface IEvictionReadings
{
    /// <summary>True where images and writable layers have a file system of their own; known after the first look at the node.</summary>
    bool SeparateImages { get; }

    /// <summary>The signals now. One that cannot be read is not there.</summary>
    Task<IReadOnlyDictionary<EvictionSignal, EvictionObservation>> NodeAsync(CancellationToken cancellationToken);

    /// <summary>What pods use of what a signal measures.</summary>
    /// <exception cref="Grpc.Core.RpcException">The runtime gives no statistics.</exception>
    Task<IReadOnlyList<PodShare>> PodsAsync(IReadOnlyList<V1Pod> pods, EvictionSignal signal, CancellationToken cancellationToken);

    /// <summary>Completes when the kernel tells that memory is short; never where it does not tell.</summary>
    Task ShortageAsync(CancellationToken cancellationToken);
}

/// <summary>Gives room on the node's disks back before pods must go: images that nobody uses.</summary>
internal interface IDiskReclaim
{
    /// <summary>Frees what it can.</summary>
    /// <exception cref="Grpc.Core.RpcException">The runtime refused.</exception>
    Task FreeAsync(CancellationToken cancellationToken);
}

/// <summary>The pods of the node, as evictions see them.</summary>
internal interface IEvictablePods
{
    /// <summary>All pods.</summary>
    IReadOnlyList<PodSnapshot> Snapshots();

    /// <summary>False once nothing of the pod is left.</summary>
    bool Has(string uid);

    /// <summary>Stops a pod.</summary>
    void Stop(string uid, StopRequest request);
}
