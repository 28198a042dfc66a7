namespace Podhost.Client.Events;

/// <summary>Who reports events, and how many are kept in hand.</summary>
public sealed record EventBroadcasterOptions
{
    /// <summary>source.component and reportingComponent, for example <c>kubelet</c> or <c>default-scheduler</c>.</summary>
    public required string Component { get; init; }

    /// <summary>source.host: the node's name; null for parts that run on none.</summary>
    public string? Host { get; init; }

    /// <summary>Most events that wait to be sent; then the oldest is dropped and counted.</summary>
    public int QueueLength { get; init; } = 1000;

    /// <summary>Most events remembered for counting.</summary>
    public int RememberedEvents { get; init; } = 4096;

    /// <summary>How often an event is sent again where no answer came.</summary>
    public int Attempts { get; init; } = 12;

    /// <summary>Longest delay between attempts.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(10);
}
