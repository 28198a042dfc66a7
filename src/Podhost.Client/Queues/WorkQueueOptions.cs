namespace Podhost.Client.Queues;

/// <summary>How fast keys come back.</summary>
public sealed record WorkQueueOptions
{
    /// <summary>Delay after a key's first failure; doubled a failure.</summary>
    public TimeSpan MinRetryDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Longest delay of a key that fails.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(1000);

    /// <summary>Rate-limited adds a second over all keys.</summary>
    public double RetriesPerSecond { get; init; } = 10;

    /// <summary>Rate-limited adds that may come at once.</summary>
    public int RetryBurst { get; init; } = 100;
}
