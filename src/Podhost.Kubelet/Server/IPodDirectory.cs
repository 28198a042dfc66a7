using k8s.Models;

namespace Podhost.Kubelet.Server;

/// <summary>What the kubelet's HTTPS API needs to know about the pods of the node. Reads are of a snapshot: cheap, never blocking.</summary>
public interface IPodDirectory
{
    /// <summary>All pods that the kubelet was given (bound and static, mirrors not repeated), each with the newest status the kubelet computed.</summary>
    IReadOnlyList<V1Pod> ListPods();

    /// <summary>A pod by namespace and name; a given <paramref name="uid"/> must match too. Null where there is none.</summary>
    V1Pod? FindPod(string ns, string name, string? uid);

    /// <summary>ID of the pod's ready sandbox, or null where it has none now.</summary>
    string? FindSandbox(string podUid);

    /// <summary>
    /// The newest instance of a container by its name (init and ephemeral ones too), or with <paramref name="previous"/> the one before it.
    /// Null where there is none: not created yet, or removed.
    /// </summary>
    ContainerInstance? FindContainer(string podUid, string containerName, bool previous);
}

/// <summary>One instance of a container, as the runtime knows it.</summary>
/// <param name="Id">Container ID of the runtime, without its <c>runtime://</c> prefix.</param>
/// <param name="Name">Name in the pod's spec.</param>
/// <param name="LogPath">Absolute path of its log in CRI format; empty where the runtime gave none.</param>
/// <param name="State">What it is doing.</param>
public sealed record ContainerInstance(string Id, string Name, string LogPath, ContainerInstanceState State);

/// <summary>What a container instance is doing.</summary>
public enum ContainerInstanceState
{
    /// <summary>Created, not started.</summary>
    Created,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Ended.</summary>
    Exited,
}
