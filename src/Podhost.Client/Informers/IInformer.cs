using k8s;
using k8s.Models;

namespace Podhost.Client.Informers;

/// <summary>A local, always current copy of a kind (list and watch), with events. It re-lists by itself where a watch breaks.</summary>
public interface IInformer<T> where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Completes when the first full list is in the copy.</summary>
    Task Synced { get; }

    /// <summary>One object of the copy, or null. Objects are shared: never change them.</summary>
    T? Get(string? ns, string name);

    /// <summary>All objects of the copy, a snapshot.</summary>
    IReadOnlyList<T> List();

    /// <summary>Adds a handler; it first gets Added for what is there. Handlers run in order on the informer's loop and must not block.</summary>
    /// <returns>Dispose to remove it.</returns>
    IDisposable Subscribe(Action<InformerEvent<T>> handler);

    /// <summary>
    /// Keeps the objects sorted by the values that a function gives them; it must depend on the object only. The same function asked for again
    /// gives the same index. Handlers find the index as their event has it.
    /// </summary>
    InformerIndex<T> AddIndex(Func<T, IEnumerable<string>> valuesOf);

    /// <summary>Runs list and watch until cancelled.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>A change of an informer's copy.</summary>
/// <param name="Type">Added, Modified or Deleted.</param>
/// <param name="Object">The new object; for Deleted the last known one.</param>
/// <param name="Previous">The object before; null for Added.</param>
public sealed record InformerEvent<T>(WatchEventKind Type, T Object, T? Previous);
