namespace Podhost.Storage.Contract;

/// <summary>A key-value store with etcd's contract: one revision counter, compare-and-swap, ranges at a revision, watches from a revision.</summary>
/// <remarks>
/// Implementations: Memory (tests), Sqlite (default), Etcd (v3 gRPC). One contract suite runs on all of them.
/// Keys are UTF-8 strings ordered by their bytes. A write that was acknowledged is durable.
/// </remarks>
public interface IStore : IAsyncDisposable
{
    /// <summary>The newest revision. A new store starts at 1.</summary>
    ValueTask<long> CurrentRevisionAsync(CancellationToken cancellationToken);

    /// <summary>One key, or null. At <paramref name="revision"/> 0 the newest.</summary>
    /// <exception cref="CompactedException">The revision was compacted.</exception>
    /// <exception cref="FutureRevisionException">The revision is not written yet.</exception>
    ValueTask<StoreEntry?> GetAsync(string key, long revision, CancellationToken cancellationToken);

    /// <summary>The keys of a prefix in order, with the revision at which they were read.</summary>
    /// <exception cref="CompactedException">The revision was compacted.</exception>
    /// <exception cref="FutureRevisionException">The revision is not written yet.</exception>
    ValueTask<StoreRange> RangeAsync(RangeRequest request, CancellationToken cancellationToken);

    /// <summary>Writes a key where its newest modification revision is the expected one (0: where it does not exist).</summary>
    ValueTask<WriteResult> PutAsync(PutRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes a key where its newest modification revision is the expected one.</summary>
    ValueTask<WriteResult> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken);

    /// <summary>
    /// Every change of a prefix with a revision ≥ <paramref name="fromRevision"/>, in order, each once; one batch a revision group.
    /// Progress batches (no events) carry a revision up to which nothing was missed; the first comes as soon as the watch has caught up.
    /// </summary>
    /// <exception cref="CompactedException">The start was compacted, at the start or later where the reader fell behind too far.</exception>
    IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken);

    /// <summary>Forgets all versions older than the newest at <paramref name="revision"/>.</summary>
    ValueTask CompactAsync(long revision, CancellationToken cancellationToken);

    /// <summary>Bytes on disk, where the store has any; for metrics.</summary>
    ValueTask<long> SizeAsync(CancellationToken cancellationToken);
}

/// <summary>One version of one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The bytes; not to be changed.</param>
/// <param name="CreateRevision">Revision of the creation of this incarnation.</param>
/// <param name="ModRevision">Revision of this version.</param>
/// <param name="Version">1 for the first version of an incarnation, then counted up.</param>
public sealed record StoreEntry(string Key, ReadOnlyMemory<byte> Value, long CreateRevision, long ModRevision, long Version);

/// <summary>A range read.</summary>
/// <param name="Prefix">Prefix of the keys.</param>
/// <param name="StartKey">First key to return where not null (inclusive); must have the prefix.</param>
/// <param name="Limit">Most entries to return; 0 for all.</param>
/// <param name="Revision">Revision to read at; 0 for the newest.</param>
public readonly record struct RangeRequest(string Prefix, string? StartKey = null, int Limit = 0, long Revision = 0);

/// <summary>The answer to a range read.</summary>
/// <param name="Revision">The revision at which it was read.</param>
/// <param name="Entries">Entries in key order.</param>
/// <param name="More">True where the limit cut it.</param>
/// <param name="RemainingCount">How many more there are; 0 where none.</param>
public sealed record StoreRange(long Revision, IReadOnlyList<StoreEntry> Entries, bool More, long RemainingCount);

/// <summary>A conditional write.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The new bytes.</param>
/// <param name="ExpectedModRevision">The modification revision that must be the newest; 0: the key must not exist.</param>
/// <param name="Ttl">After this time the key is deleted by the store (etcd's lease); null: never. Not prolonged by reads.</param>
public readonly record struct PutRequest(string Key, ReadOnlyMemory<byte> Value, long ExpectedModRevision, TimeSpan? Ttl = null);

/// <summary>The outcome of a conditional write.</summary>
/// <param name="Succeeded">True where the condition held and the write is durable.</param>
/// <param name="Revision">The revision of the write, or the store's revision where the condition failed.</param>
/// <param name="Current">Where it failed, the entry that is there now, if any; for a delete that succeeded, the entry that was deleted.</param>
public sealed record WriteResult(bool Succeeded, long Revision, StoreEntry? Current);

/// <summary>Changes of one or more whole revisions; never splits a revision.</summary>
/// <param name="Revision">All events up to and including this revision were delivered.</param>
/// <param name="Events">The changes in order; empty for progress.</param>
public sealed record StoreWatchBatch(long Revision, IReadOnlyList<StoreEvent> Events);

/// <summary>One change.</summary>
/// <param name="Type">Put or Delete.</param>
/// <param name="Entry">The new version; for a delete, the key with empty value and the delete's revision as ModRevision.</param>
/// <param name="Previous">The version before, where there was one.</param>
public sealed record StoreEvent(StoreEventType Type, StoreEntry Entry, StoreEntry? Previous);

/// <summary>Kind of a change.</summary>
public enum StoreEventType
{
    /// <summary>The key was created or changed.</summary>
    Put,

    /// <summary>The key was deleted.</summary>
    Delete,
}

/// <summary>The revision asked for was compacted; the reader must list anew.</summary>
/// <param name="compactRevision">The oldest revision that can still be read.</param>
public sealed class CompactedException(long compactRevision)
    : Exception($"the required revision has been compacted (oldest: {compactRevision})")
{
    /// <summary>The oldest revision that can still be read.</summary>
    public long CompactRevision { get; } = compactRevision;
}

/// <summary>The revision asked for is newer than the store's.</summary>
/// <param name="requested">The revision asked for.</param>
/// <param name="current">The store's revision.</param>
public sealed class FutureRevisionException(long requested, long current)
    : Exception($"revision {requested} is in the future (current: {current})")
{
    /// <summary>The revision asked for.</summary>
    public long Requested { get; } = requested;

    /// <summary>The store's revision.</summary>
    public long Current { get; } = current;
}
