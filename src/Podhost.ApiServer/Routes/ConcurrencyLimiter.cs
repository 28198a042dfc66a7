using Podhost.Api.Errors;

namespace Podhost.ApiServer.Routes;

/// <summary>A bounded number of places and a bounded queue before them.</summary>
internal sealed class ConcurrencyLimiter(int places, int maxQueued) : IDisposable
{
    private readonly SemaphoreSlim _free = new(places, places);
    private int _queued;

    /// <summary>Requests that have a place.</summary>
    public int InFlight => places - _free.CurrentCount;

    /// <summary>Waits for a place; dispose the result to give it back.</summary>
    /// <exception cref="ApiException">429: the queue is full.</exception>
    public async ValueTask<Place> EnterAsync(CancellationToken cancellationToken)
    {
        if (_free.Wait(TimeSpan.Zero, CancellationToken.None))
        {
            return new Place(_free);
        }

        if (Interlocked.Increment(ref _queued) > maxQueued)
        {
            Interlocked.Decrement(ref _queued);
            throw ApiException.TooManyRequests("too many requests, please try again later", 1);
        }

        try
        {
            await _free.WaitAsync(cancellationToken);
            return new Place(_free);
        }
        finally
        {
            Interlocked.Decrement(ref _queued);
        }
    }

    public void Dispose() => _free.Dispose();

    /// <summary>A place that is taken.</summary>
    public readonly struct Place(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free?.Release();
    }
}
