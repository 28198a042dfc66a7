using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Mounts;
using Podhost.Runtime.Events;
using Podhost.Runtime.Images;
using Podhost.Runtime.Network;
using Podhost.Runtime.Processes;
using Podhost.Runtime.Sandboxes;
using Podhost.Runtime.Snapshots;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;

namespace Podhost.Runtime;

/// <summary>What the verbs of the runtime share: its state and its hands. Holds no behaviour.</summary>
internal sealed record RuntimeContext
{
    internal required EmbeddedRuntimeOptions Options { get; init; }

    internal required RuntimePaths Paths { get; init; }

    internal required RuntimeState State { get; init; }

    internal required CgroupTree Cgroups { get; init; }

    internal required IMounter Mounter { get; init; }

    internal required IPodNetwork Network { get; init; }

    /// <summary>What containers with users of their own are shown.</summary>
    internal required MappedMounts MappedMounts { get; init; }

    /// <summary>Which OCI runtimes can give pods users of their own.</summary>
    internal required UserNamespaceTrial UserNamespaces { get; init; }

    internal required IImageCatalog Images { get; init; }

    internal required IRootfsService Rootfs { get; init; }

    /// <summary>Pulls an absent infra image; null where nobody can.</summary>
    internal required Func<string, CancellationToken, Task>? PullImage { get; init; }

    internal required Conmon Conmon { get; init; }

    internal required HostFacts Host { get; init; }

    internal required RuntimeHandlers Handlers { get; init; }

    internal required EventHub Events { get; init; }

    internal required TimeProvider Time { get; init; }

    /// <summary>Cancelled when the runtime is disposed: watching ends, pods go on, and the records belong to the next runtime.</summary>
    internal required CancellationToken Stopping { get; init; }

    internal long Now => UnixNanoseconds(Time.GetUtcNow());

    internal static long UnixNanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>Tells all subscribers what happened, with the pod's state as it is now.</summary>
    internal void Publish(ContainerEventType type, string id, string sandboxId)
    {
        var message = new ContainerEventResponse { ContainerId = id, ContainerEventType = type, CreatedAt = Now };
        if (State.FindSandbox(sandboxId) is { } sandbox)
        {
            message.PodSandboxStatus = StatusMapper.Status(sandbox);
            message.ContainersStatuses.AddRange(State.ContainersOf(sandboxId).Where(container => container.IsVisible).Select(StatusMapper.Status));
        }

        Events.Publish(message);
    }
}

/// <summary>The OCI runtime of each handler name.</summary>
internal sealed class RuntimeHandlers(OciRuntime standard, IReadOnlyDictionary<string, OciRuntime> named)
{
    internal IEnumerable<string> Names => named.Keys.Prepend(string.Empty);

    internal OciRuntime Standard => standard;

    /// <summary>For cleaning: a handler that is configured no longer is cleaned with the standard runtime.</summary>
    internal OciRuntime GetOrStandard(string name) => named.GetValueOrDefault(name, standard);

    internal OciRuntime Get(string name) => name.Length == 0 ? standard : named.TryGetValue(name, out var runtime)
        ? runtime
        : throw new Grpc.Core.RpcException(new Grpc.Core.Status(Grpc.Core.StatusCode.NotFound, $"no runtime for handler \"{name}\" is configured"));
}
