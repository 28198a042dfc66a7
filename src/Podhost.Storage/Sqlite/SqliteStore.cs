using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;
using Podhost.Storage.Keys;
using Podhost.Storage.Watching;

namespace Podhost.Storage.Sqlite;

/// <summary>The default store: one SQLite file. Write-ahead log, synchronous=FULL, group commit; see docs/rooms/storage.md.</summary>
public sealed class SqliteStore : IStore, IReplaySource
{
    private const int ReplaySlice = 512;

    private readonly SqliteStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly FileStream _lock;
    private readonly SqliteWriter _writer;
    private readonly ReadPool _readers;
    private readonly WatchHub _hub;
    private int _disposed;

    private SqliteStore(SqliteStoreOptions options, TimeProvider time, FileStream fileLock, WriteSession session)
    {
        _options = options;
        _time = time;
        _lock = fileLock;
        _hub = new WatchHub(this, session.Revision, options.WatchBufferEvents);
        _readers = new ReadPool(options.Path, options.Readers);
        _writer = new SqliteWriter(options, time, session);
        _writer.Start(_hub);
    }

    /// <summary>Opens the store, or makes it.</summary>
    /// <exception cref="StoreException">It is locked by another process, damaged, or cannot be written.</exception>
    public static SqliteStore Open(SqliteStoreOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options = options with { Path = Path.GetFullPath(options.Path) };
        SqliteFiles.MakeDirectory(options);
        var fileLock = SqliteFiles.TakeLock(options.Path);
        try
        {
            SqliteFiles.MakePrivate(options.Path);
            return new SqliteStore(options, time ?? TimeProvider.System, fileLock, new WriteSession(SqliteSchema.OpenWriter(options.Path)));
        }
        catch (SqliteException e)
        {
            fileLock.Dispose();
            throw SqliteErrors.Translate(e, options.Path);
        }
        catch
        {
            fileLock.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> CurrentRevisionAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_hub.Published);
    }

    /// <inheritdoc/>
    public ValueTask<StoreEntry?> GetAsync(string key, long revision, CancellationToken cancellationToken)
    {
        var keyBytes = StoreKey.Encode(key);
        return _readers.ReadAsync(r => r.Get(key, keyBytes, revision), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<StoreRange> RangeAsync(RangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(request.Limit);
        return _readers.ReadAsync(r => r.Range(request, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<WriteResult> PutAsync(PutRequest request, CancellationToken cancellationToken)
    {
        StoreKey.CheckValue(request.Value);
        DateTimeOffset? expiresAt = request.Ttl is { } ttl ? _time.GetUtcNow() + ttl : null;
        var put = new PutOperation(
            request.Key, StoreKey.Encode(request.Key), request.Value.ToArray(), request.ExpectedModRevision, expiresAt);
        return await _writer.WriteAsync(put, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<WriteResult> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken)
    {
        var delete = new DeleteOperation(key, StoreKey.Encode(key), expectedModRevision);
        return await _writer.WriteAsync(delete, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken)
    {
        StoreKey.EncodePrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(fromRevision);
        return _hub.WatchAsync(prefix, fromRevision, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask CompactAsync(long revision, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(revision);
        await _writer.WriteAsync(new CompactOperation(revision), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<long> SizeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(LengthOf(_options.Path) + LengthOf(_options.Path + "-wal"));
    }

    /// <summary>Writes what was accepted, then closes. Watches end with <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _hub.Close(new ObjectDisposedException(nameof(SqliteStore)));

        // Joining the writer's thread blocks: not on the caller's.
        await Task.Run(_writer.Dispose).ConfigureAwait(false);
        _readers.Dispose();
        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    async IAsyncEnumerable<StoreWatchBatch> IReplaySource.ReplayAsync(
        string prefix, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (from <= to)
        {
            var start = from;

            // A transaction a slice: a long replay must not hold a snapshot, which would keep the log from being checkpointed.
            var (changes, last) = await _readers.ReadAsync(r => r.Changes(prefix, start, to, ReplaySlice), cancellationToken).ConfigureAwait(false);
            if (changes.Count > 0)
            {
                yield return new StoreWatchBatch(last, changes);
            }

            from = last + 1;
        }
    }

    private static long LengthOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }
}
