using Microsoft.Extensions.Logging;

namespace Podhost.Kubelet.Volumes;

/// <summary>
/// Which pods' volumes to write again, and when: at once when an object changed, later for tokens and after failures. A pod is in the
/// queue once, at its earliest time, so the queue is bounded by the number of pods.
/// </summary>
internal sealed partial class VolumeUpdates(
    Func<string, CancellationToken, Task> update, (TimeSpan First, TimeSpan Longest) backOff, TimeProvider time, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _due = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _failures = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changed = new(0, 1);

    /// <summary>Asks for updates now.</summary>
    public void Request(IEnumerable<string> podUids)
    {
        foreach (var uid in podUids)
        {
            Request(uid, time.GetUtcNow());
        }
    }

    /// <summary>Asks for an update at a time; the earliest request of a pod counts.</summary>
    public void Request(string podUid, DateTimeOffset at)
    {
        lock (_lock)
        {
            if (_due.TryGetValue(podUid, out var already) && already <= at)
            {
                return;
            }

            _due[podUid] = at;
            if (_changed.CurrentCount == 0)
            {
                _changed.Release();
            }
        }
    }

    /// <summary>Runs updates one after the other until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (TakeDue(out var wait) is { } uid)
            {
                await UpdateAsync(uid, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await WaitAsync(wait, cancellationToken).ConfigureAwait(false);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private string? TakeDue(out TimeSpan? wait)
    {
        lock (_lock)
        {
            // What was asked for until now is seen here: only what comes later need wake the wait.
            _ = _changed.Wait(0, CancellationToken.None);
            wait = null;
            if (_due.Count == 0)
            {
                return null;
            }

            var (uid, at) = _due.MinBy(d => d.Value);
            var left = at - time.GetUtcNow();
            if (left > TimeSpan.Zero)
            {
                wait = left;
                return null;
            }

            _due.Remove(uid);
            return uid;
        }
    }

    private async Task WaitAsync(TimeSpan? wait, CancellationToken cancellationToken)
    {
        if (wait is null)
        {
            await _changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(wait.Value, time, either.Token);
        var changed = _changed.WaitAsync(either.Token);
        await Task.WhenAny(delay, changed).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(delay, changed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task UpdateAsync(string uid, CancellationToken cancellationToken)
    {
        try
        {
            await update(uid, cancellationToken).ConfigureAwait(false);
            _failures.Remove(uid);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            var failures = _failures[uid] = _failures.GetValueOrDefault(uid) + 1;
            var factor = Math.Pow(2, Math.Min(failures - 1, 16));
            var pause = TimeSpan.FromTicks((long)Math.Min(backOff.First.Ticks * factor, backOff.Longest.Ticks));
            LogFailed(uid, pause, e);
            Request(uid, time.GetUtcNow() + pause);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Volumes of pod {PodUid} could not be updated, trying again in {Pause}")]
    private partial void LogFailed(string podUid, TimeSpan pause, Exception exception);
}
