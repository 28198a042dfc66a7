namespace Podhost.Client;

/// <summary>An exponential delay with jitter: d, 2d, 4d, … up to a maximum, each times 1 to 2.</summary>
internal sealed class RetryDelay(TimeSpan first, TimeSpan longest, Random random)
{
    private int _failures;

    internal TimeSpan Next()
    {
        var delay = first * Math.Pow(2, _failures) * (1 + random.NextDouble());
        if (delay < longest)
        {
            _failures++;
            return delay;
        }

        return longest;
    }

    internal void Reset() => _failures = 0;
}
