namespace Podhost.Storage.Compaction;

/// <summary>How much history is kept. Both must hold before a revision is forgotten.</summary>
public sealed record AutoCompactionOptions
{
    /// <summary>How long history is kept; upstream's API server keeps five minutes. Zero or less: no automatic compaction.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many of the newest revisions are kept at least. None by default, as upstream's: clients count on it that a list's token expires.</summary>
    public long KeepRevisions { get; init; }
}
