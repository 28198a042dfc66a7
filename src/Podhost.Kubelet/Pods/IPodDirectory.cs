using k8s.Models;

namespace Podhost.Kubelet.Pods;

/// <summary>What the kubelet's server asks about the pods of this node. Answers come from memory; nothing here blocks.</summary>
public interface IPodDirectory
{
    /// <summary>All pods that are not finished, each with the status last decided. Never change them.</summary>
    IReadOnlyList<V1Pod> List();

    /// <summary>A pod by namespace and name with the status last decided, or null. Where two have one name, the newest.</summary>
    V1Pod? Find(string ns, string name);

    /// <summary>A pod by UID, or null; the UID of a mirror pod finds its static pod.</summary>
    V1Pod? FindByUid(string uid);

    /// <summary>The newest instance of a container in the runtime, or null where none was created.</summary>
    /// <param name="podUid">The pod.</param>
    /// <param name="containerName">An app, init or ephemeral container.</param>
    /// <param name="previous">True for the ended instance that the status shows as the last state (<c>kubectl logs --previous</c>).</param>
    PodContainerInstance? FindContainer(string podUid, string containerName, bool previous = false);

    /// <summary>The live sandbox of a pod, or null.</summary>
    string? FindSandbox(string podUid);
}

/// <summary>One instance of a container.</summary>
/// <param name="Id">The runtime's ID.</param>
/// <param name="Running">True where its process runs.</param>
/// <param name="Attempt">0 for the first instance.</param>
/// <param name="LogPath">Absolute path of its log in CRI format.</param>
public sealed record PodContainerInstance(string Id, bool Running, uint Attempt, string LogPath);
