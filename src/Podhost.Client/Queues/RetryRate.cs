namespace Podhost.Client.Queues;

/// <summary>Per-key exponential back-off and one token bucket over all keys; the longer delay counts. Pure but for its memory.</summary>
internal sealed class RetryRate<TKey>(WorkQueueOptions options) where TKey : notnull
{
    private readonly Dictionary<TKey, int> _failures = [];
    private double _tokens = options.RetryBurst;
    private DateTimeOffset? _refilled;

    internal TimeSpan Next(TKey key, DateTimeOffset now)
    {
        var failures = _failures.GetValueOrDefault(key);
        _failures[key] = failures + 1;
        var seconds = options.MinRetryDelay.TotalSeconds * Math.Pow(2, failures);
        var backOff = seconds < options.MaxRetryDelay.TotalSeconds ? TimeSpan.FromSeconds(seconds) : options.MaxRetryDelay;
        var turn = TakeToken(now);
        return backOff > turn ? backOff : turn;
    }

    internal void Forget(TKey key) => _failures.Remove(key);

    internal int Failures(TKey key) => _failures.GetValueOrDefault(key);

    /// <summary>Takes a token, on credit where there is none: returns how long to wait until it is there.</summary>
    private TimeSpan TakeToken(DateTimeOffset now)
    {
        var elapsed = now - (_refilled ?? now);
        _refilled = now;
        _tokens = Math.Min(options.RetryBurst, _tokens + (elapsed.TotalSeconds * options.RetriesPerSecond)) - 1;
        return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / options.RetriesPerSecond);
    }
}
