using Podhost.Cri.V1;
using Podhost.Linux.Netlink;

namespace Podhost.Runtime.Network;

/// <summary>
/// The network of pods. The built-in bridge is one implementation, a CNI configuration another. Everything is idempotent: a crash may
/// come between any two steps, and tearing down what was never set up is no error.
/// </summary>
internal interface IPodNetwork
{
    /// <summary>Why pods cannot get a network now; null when they can (NetworkReady).</summary>
    string? Problem { get; }

    /// <summary>Why pods cannot get a network now, asked of those who make it: may take a run of programs. Null when they can.</summary>
    Task<string?> AskProblemAsync(CancellationToken cancellationToken) => Task.FromResult(Problem);

    /// <summary>Prepares the node; a failure becomes <see cref="Problem"/>.</summary>
    /// <param name="existing">Sandboxes whose network lives on from an earlier run.</param>
    /// <param name="cancellationToken">Ends the preparation.</param>
    Task PrepareAsync(IReadOnlyList<ExistingAttachment> existing, CancellationToken cancellationToken);

    /// <summary>Connects a sandbox's namespace.</summary>
    /// <returns>The pod's addresses; the first is the one that the pod is known by.</returns>
    Task<IReadOnlyList<string>> SetUpAsync(PodNetworkRequest request, CancellationToken cancellationToken);

    /// <summary>Disconnects a sandbox and gives its address back, last of all. The namespace may be gone already.</summary>
    Task TearDownAsync(string sandboxId, CancellationToken cancellationToken);

    /// <summary>Ids, or starts of ids, of sandboxes that something of the network is left of.</summary>
    IReadOnlyList<string> Attachments();

    /// <summary>Bytes and errors of a sandbox's interface, seen from the pod; null when it has none.</summary>
    NetworkInterfaceUsage? Usage(string sandboxId);

    /// <summary>Takes away what the node has for all pods together. No sandbox is left.</summary>
    Task RemoveAsync(CancellationToken cancellationToken);
}

/// <summary>A sandbox to connect.</summary>
/// <param name="SandboxId">Its id.</param>
/// <param name="NamespacePath">Its network namespace.</param>
/// <param name="Inside">A socket that belongs to that namespace.</param>
/// <param name="Config">The pod: host ports, annotations, name.</param>
internal sealed record PodNetworkRequest(string SandboxId, string NamespacePath, NetlinkSocket Inside, PodSandboxConfig Config)
{
    /// <summary>Host ports.</summary>
    internal IReadOnlyList<PortMapping> Ports => Config.PortMappings;
}

/// <summary>A sandbox that is connected.</summary>
internal sealed record ExistingAttachment(string SandboxId, IReadOnlyList<string> Addresses, IReadOnlyList<PortMapping> Ports);
