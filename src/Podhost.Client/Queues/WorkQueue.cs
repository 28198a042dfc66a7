using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;

namespace Podhost.Client.Queues;

/// <summary>
/// Keys to be worked on, each at most once in the queue and at most once in work: a key added while it is worked on comes back when it is
/// done. Failed keys come back after a growing delay. The queue is as long as there are keys; controllers bound those by objects.
/// </summary>
/// <param name="options">Delays and rates.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Failures of keys.</param>
public sealed partial class WorkQueue<TKey>(WorkQueueOptions options, TimeProvider time, ILogger logger) : IDisposable where TKey : notnull
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _readyCount = new(0);
    private readonly Queue<TKey> _ready = new();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _working = [];
    private readonly HashSet<TKey> _failedInWork = [];
    private readonly PriorityQueue<TKey, DateTimeOffset> _delayed = new();
    private readonly Dictionary<TKey, DateTimeOffset> _delayedUntil = [];
    private readonly RetryRate<TKey> _rate = new(options);
    private ITimer? _timer;
    private bool _disposed;

    /// <summary>Keys that are ready and not in work.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>Adds a key, now.</summary>
    public void Add(TKey key)
    {
        lock (_gate)
        {
            if (!_dirty.Add(key) || _working.Contains(key))
            {
                return;
            }

            MakeReady(key);
        }
    }

    /// <summary>Adds a key after a delay; an earlier moment that was asked for already stays.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_gate)
        {
            var at = time.GetUtcNow() + delay;
            if (_delayedUntil.TryGetValue(key, out var earlier) && earlier <= at)
            {
                return;
            }

            _delayedUntil[key] = at;
            _delayed.Enqueue(key, at);
            ArmTimer();
        }
    }

    /// <summary>Adds a key that failed, after its back-off. Work that says so of its own key has failed, although it returns: the back-off grows.</summary>
    public void AddRateLimited(TKey key)
    {
        TimeSpan delay;
        lock (_gate)
        {
            if (_working.Contains(key))
            {
                _failedInWork.Add(key);
            }

            delay = _rate.Next(key, time.GetUtcNow());
        }

        AddAfter(key, delay);
    }

    /// <summary>Ends the back-off of a key that succeeded.</summary>
    public void Forget(TKey key)
    {
        lock (_gate)
        {
            _rate.Forget(key);
        }
    }

    /// <summary>How often a key has failed since it last succeeded.</summary>
    public int Failures(TKey key)
    {
        lock (_gate)
        {
            return _rate.Failures(key);
        }
    }

    /// <summary>Waits for a key and takes it into work; <see cref="Done"/> must follow.</summary>
    public async ValueTask<TKey> TakeAsync(CancellationToken cancellationToken)
    {
        await _readyCount.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            var key = _ready.Dequeue();
            _dirty.Remove(key);
            _working.Add(key);
            return key;
        }
    }

    /// <summary>Ends the work on a key; it becomes ready again where it was added meanwhile.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            _working.Remove(key);
            _failedInWork.Remove(key);
            if (_dirty.Contains(key))
            {
                MakeReady(key);
            }
        }
    }

    /// <summary>Works on keys until cancelled. A key whose handler throws is told, and comes back after its back-off.</summary>
    /// <param name="workers">How many keys at the same time.</param>
    /// <param name="handle">The work on one key.</param>
    /// <param name="cancellationToken">Ends it; keys in work are cancelled and waited for.</param>
    public Task RunAsync(int workers, Func<TKey, CancellationToken, Task> handle, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        return Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(handle, cancellationToken), CancellationToken.None)));
    }

    /// <summary>Stops the timer of delayed keys.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private async Task WorkAsync(Func<TKey, CancellationToken, Task> handle, CancellationToken cancellationToken)
    {
        while (true)
        {
            TKey key;
            try
            {
                key = await TakeAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await handle(key, cancellationToken).ConfigureAwait(false);
                ForgetUnlessFailed(key);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogFailure(key, e);
                AddRateLimited(key);
            }
            finally
            {
                Done(key);
            }
        }
    }

    private void ForgetUnlessFailed(TKey key)
    {
        lock (_gate)
        {
            if (!_failedInWork.Contains(key))
            {
                _rate.Forget(key);
            }
        }
    }

    // What the world around refuses needs no stack trace; what is a fault of ours does.
    private void LogFailure(TKey key, Exception e)
    {
        if (e is IOException or HttpRequestException or ApiException)
        {
            LogRefused(logger, key.ToString(), Failures(key) + 1, e.Message);
        }
        else
        {
            LogFailed(logger, key.ToString(), Failures(key) + 1, e);
        }
    }

    private void MakeReady(TKey key)
    {
        _ready.Enqueue(key);
        _readyCount.Release();
    }

    private void AddDue()
    {
        lock (_gate)
        {
            while (_delayed.TryPeek(out var key, out var at) && at <= time.GetUtcNow())
            {
                _delayed.Dequeue();

                // An entry that an earlier moment has overtaken is stale.
                if (_delayedUntil.TryGetValue(key, out var until) && until == at)
                {
                    _delayedUntil.Remove(key);
                    Add(key);
                }
            }

            ArmTimer();
        }
    }

    private void ArmTimer()
    {
        if (_disposed || !_delayed.TryPeek(out _, out var at))
        {
            return;
        }

        var due = at - time.GetUtcNow();
        due = due < TimeSpan.Zero ? TimeSpan.Zero : due > LongestTimer ? LongestTimer : TimeSpan.FromMilliseconds(Math.Ceiling(due.TotalMilliseconds));
        _timer ??= time.CreateTimer(_ => AddDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "work on {Key} failed ({Failures} times); trying again later")]
    private static partial void LogFailed(ILogger logger, string? key, int failures, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "work on {Key} failed ({Failures} times); trying again later: {Error}")]
    private static partial void LogRefused(ILogger logger, string? key, int failures, string error);
}
