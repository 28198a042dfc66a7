using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Podhost.Client.Tests.Fakes;

/// <summary>A clock that tells when somebody starts to wait for it, so that a test moves it then and not before.</summary>
internal sealed class ObservedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _waits.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>The next wait that was started and is shorter than <paramref name="below"/>.</summary>
    internal async Task<TimeSpan> NextWaitAsync(TimeSpan below)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var wait = await _waits.Reader.ReadAsync(deadline.Token);
            if (wait > TimeSpan.Zero && wait < below)
            {
                return wait;
            }
        }
    }
}
