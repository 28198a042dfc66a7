namespace Podhost.Storage.Memory;

/// <summary>Options of the in-memory store.</summary>
public sealed record MemoryStoreOptions
{
    /// <summary>Most events buffered for one watcher before it is served from history instead.</summary>
    public int WatchBufferEvents { get; init; } = 4096;
}
