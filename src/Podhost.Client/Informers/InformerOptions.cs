namespace Podhost.Client.Informers;

/// <summary>What an informer copies, and how it treats a server that fails.</summary>
public sealed record InformerOptions
{
    /// <summary>The namespace; null for all.</summary>
    public string? Namespace { get; init; }

    /// <summary>Label selector.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Items a page where it lists.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>True to ask for the first state as a watch (sendInitialEvents); where the server refuses that, it lists.</summary>
    public bool PreferWatchList { get; init; } = true;

    /// <summary>How long the initial events of a watch may take before it lists instead.</summary>
    public TimeSpan InitialEventsTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>First delay after a failure; doubled up to <see cref="MaxRetryDelay"/>, with jitter.</summary>
    public TimeSpan MinRetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest delay after failures.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After this many watches that failed one after the other it lists anew instead of resuming.</summary>
    public int FailuresBeforeRelist { get; init; } = 5;
}
