namespace Podhost.Storage.Expiry;

/// <summary>Calls back when the earliest expiry is due. One timer, armed for the nearest moment only; nothing polls.</summary>
internal sealed class ExpiryTimer : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(40);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private DateTimeOffset? _next;
    private bool _disposed;

    internal ExpiryTimer(TimeProvider time, Action due)
    {
        _time = time;
        _timer = time.CreateTimer(
            _ =>
            {
                lock (_gate)
                {
                    _next = null;
                }

                due();
            },
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Arms for <paramref name="at"/> where that is earlier than what it is armed for.</summary>
    internal void ArmNoLaterThan(DateTimeOffset at)
    {
        lock (_gate)
        {
            if (_disposed || (_next is { } next && next <= at))
            {
                return;
            }

            _next = at;
            var due = at - _time.GetUtcNow();
            due = due < TimeSpan.Zero ? TimeSpan.Zero : due > Longest ? Longest : due;

            // Rounded up to the timers' millisecond: fired early, it would find nothing due and be armed again.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(due.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Dispose();
    }
}
