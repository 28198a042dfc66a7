namespace Podhost.Client;

/// <summary>An exponential delay with jitter: d, 2d, 4d, … up to a maximum, each times 1 to 2.</summary>
/// <param name="first">The first delay.</param>
/// <param name="longest">The longest.</param>
/// <param name="random">The jitter.</param>
public sealed class RetryDelay(TimeSpan first, TimeSpan longest, Random random)
{
    private int _failures;

    /// <summary>The delay after one more failure.</summary>
    public TimeSpan Next()
    {
        var delay = first * Math.Pow(2, _failures) * (1 + random.NextDouble());
        if (delay < longest)
        {
            _failures++;
            return delay;
        }

        return longest;
    }

    /// <summary>Starts anew after a success.</summary>
    public void Reset() => _failures = 0;
}
