namespace Podhost.Storage.Sqlite;

/// <summary>Options of the SQLite store.</summary>
public sealed record SqliteStoreOptions
{
    /// <summary>The database file. Its directory is made where it is missing.</summary>
    public required string Path { get; init; }

    /// <summary>Most connections that read at the same time.</summary>
    public int Readers { get; init; } = 4;

    /// <summary>Most writes that wait for the writer; further callers wait for room.</summary>
    public int QueuedWrites { get; init; } = 4096;

    /// <summary>Most writes in one transaction (one fsync).</summary>
    public int GroupCommit { get; init; } = 256;

    /// <summary>Most events buffered for one watcher before it is served from the table instead.</summary>
    public int WatchBufferEvents { get; init; } = 4096;

    /// <summary>Most revisions cleaned up after a compaction in one transaction, beside the writes that wait.</summary>
    public int CompactionSlice { get; init; } = 256;

    /// <summary>
    /// Makes a directory's entries durable (fsync), called with each directory that was made and its parent. SQLite itself does it for
    /// the directory of the database; null where the directory exists before.
    /// </summary>
    public Action<string>? SyncDirectory { get; init; }
}
