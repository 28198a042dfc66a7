using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;
using Podhost.Storage.Expiry;
using Podhost.Storage.Watching;

namespace Podhost.Storage.Sqlite;

/// <summary>
/// The one thread that writes. It takes all writes that wait, applies them in one transaction, commits once (one fsync), publishes to the
/// watchers and then acknowledges. SQLite's calls block, so this is a thread and not a task.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int MostExpiredAtOnce = 256;

    private readonly SqliteStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly WriteSession _session;
    private readonly WriteQueue _queue;
    private readonly ExpiryTimer _timer;
    private readonly Thread _thread;
    private readonly List<WriteOperation> _group = [];
    private WatchHub? _hub;
    private DateTimeOffset? _nextExpiry;
    private bool _cleaningPaused;
    private StoreException? _fatal;

    internal SqliteWriter(SqliteStoreOptions options, TimeProvider time, WriteSession session)
    {
        _options = options;
        _time = time;
        _session = session;
        _queue = new WriteQueue(options.QueuedWrites);
        _timer = new ExpiryTimer(time, EnqueueExpiry);
        _thread = new Thread(Run) { Name = "store-writer", IsBackground = true };
    }

    internal void Start(WatchHub hub)
    {
        _hub = hub;
        _nextExpiry = _session.NextExpiry();
        ArmExpiry();
        _thread.Start();
    }

    internal async Task<T> WriteAsync<T>(WriteOperation<T> operation, CancellationToken cancellationToken)
    {
        await _queue.EnqueueAsync(operation, cancellationToken).ConfigureAwait(false);
        return await operation.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what waits, then ends the thread.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _queue.Close();
        _thread.Join();
        _session.Dispose();
        _queue.Dispose();
    }

    private bool CleaningPending => _fatal is null && !_cleaningPaused && _session.Cleaned < _session.Compacted;

    private void Run()
    {
        while (_queue.Take(_group, _options.GroupCommit, wait: !CleaningPending))
        {
            if (_fatal is not null)
            {
                _group.ForEach(o => o.Fail(_fatal));
                continue;
            }

            if (CommitGroup())
            {
                _hub!.Publish(_session.Revision, _session.Events);
                _group.ForEach(static o => o.Complete());
                ArmExpiry();
            }
        }
    }

    private bool CommitGroup()
    {
        try
        {
            _session.Begin();
            foreach (var operation in _group)
            {
                operation.Apply(_session);
            }

            if (CleaningPending)
            {
                // At least as much as a group can add, so that cleaning keeps up with any load.
                _session.Clean(Math.Max(_options.CompactionSlice, 2 * _group.Count));
            }

            _nextExpiry = _session.NextExpiry();
            _session.Commit();
            _cleaningPaused = false;
            return true;
        }
        catch (Exception e)
        {
            Abandon(e);
            return false;
        }
    }

    private void Abandon(Exception cause)
    {
        // A full disk must not make the cleaning spin: it goes on after the next write that succeeds.
        _cleaningPaused = true;
        var failure = cause is SqliteException sqlite
            ? SqliteErrors.Translate(sqlite, _options.Path)
            : new StoreException($"the store {_options.Path} failed: {cause.Message}", cause);
        var isFatal = cause is not SqliteException e || SqliteErrors.IsFatal(e);
        try
        {
            _session.Rollback();
        }
        catch (SqliteException)
        {
            // The transaction's state is unknown: nothing more is written.
            isFatal = true;
        }

        if (isFatal)
        {
            _fatal = failure;
            _hub!.Close(failure);
        }

        _group.ForEach(o => o.Fail(failure));
    }

    private void EnqueueExpiry() => _queue.EnqueueInternal(new ExpireOperation(_time.GetUtcNow(), MostExpiredAtOnce));

    private void ArmExpiry()
    {
        if (_nextExpiry is { } at)
        {
            _timer.ArmNoLaterThan(at);
        }
    }
}
