using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Podhost.Runtime.State;

/// <summary>All sandboxes and containers, by id, kept on disk as they change.</summary>
internal sealed class RuntimeState(RuntimePaths paths)
{
    private readonly ConcurrentDictionary<string, Sandbox> _sandboxes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Container> _containers = new(StringComparer.Ordinal);

    internal RecordStore<SandboxRecord> SandboxStore { get; } = new(paths.SandboxRecords, RecordJson.Default.SandboxRecord);

    internal RecordStore<ContainerRecord> ContainerStore { get; } = new(paths.ContainerRecords, RecordJson.Default.ContainerRecord);

    internal ICollection<Sandbox> Sandboxes => _sandboxes.Values;

    internal ICollection<Container> Containers => _containers.Values;

    internal IEnumerable<Container> ContainersOf(string sandboxId) => _containers.Values.Where(container => container.Record.SandboxId == sandboxId);

    /// <summary>By id or the unique start of one; NotFound for none, InvalidArgument for several.</summary>
    internal Sandbox GetSandbox(string id) =>
        TryFind(_sandboxes, id, out var sandbox) && sandbox.IsVisible ? sandbox : throw NotFound("sandbox", id);

    /// <summary>By id or the unique start of one; null for none.</summary>
    internal Sandbox? FindSandbox(string id) => TryFind(_sandboxes, id, out var sandbox) ? sandbox : null;

    /// <summary>By id or the unique start of one; NotFound for none, InvalidArgument for several.</summary>
    internal Container GetContainer(string id) =>
        TryFind(_containers, id, out var container) && container.IsVisible ? container : throw NotFound("container", id);

    /// <summary>By id or the unique start of one; null for none.</summary>
    internal Container? FindContainer(string id) => TryFind(_containers, id, out var container) ? container : null;

    internal void Add(Sandbox sandbox)
    {
        SandboxStore.Save(sandbox.Id, sandbox.Record);
        _sandboxes[sandbox.Id] = sandbox;
    }

    internal void Add(Container container)
    {
        ContainerStore.Save(container.Id, container.Record);
        _containers[container.Id] = container;
    }

    /// <summary>Takes what was loaded from disk, without writing it again.</summary>
    internal void Adopt(Sandbox sandbox) => _sandboxes[sandbox.Id] = sandbox;

    /// <summary>Takes what was loaded from disk, without writing it again.</summary>
    internal void Adopt(Container container) => _containers[container.Id] = container;

    internal void Save(Sandbox sandbox, SandboxRecord record)
    {
        SandboxStore.Save(record.Id, record);
        sandbox.Set(record);
    }

    internal void Save(Container container, ContainerRecord record, bool durable = false)
    {
        ContainerStore.Save(record.Id, record, durable);
        container.Set(record);
    }

    internal void Forget(Sandbox sandbox)
    {
        SandboxStore.Delete(sandbox.Id);
        _sandboxes.TryRemove(sandbox.Id, out _);
    }

    internal void Forget(Container container)
    {
        ContainerStore.Delete(container.Id);
        _containers.TryRemove(container.Id, out _);
    }

    private static RpcException NotFound(string kind, string id) => new(new Status(StatusCode.NotFound, $"{kind} {id} not found"));

    private static bool TryFind<T>(ConcurrentDictionary<string, T> all, string id, [NotNullWhen(true)] out T? found)
        where T : class
    {
        found = null;
        if (id.Length == 0)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the id is empty"));
        }

        if (all.TryGetValue(id, out found))
        {
            return true;
        }

        foreach (var (key, value) in all)
        {
            if (key.StartsWith(id, StringComparison.Ordinal))
            {
                found = found is null ? value : throw new RpcException(new Status(StatusCode.InvalidArgument, $"id {id} is the start of several"));
            }
        }

        return found is not null;
    }
}
