using Podhost.Storage.Contract;

namespace Podhost.Storage.Watching;

/// <summary>The kept history of a store, from which a watch that starts in the past, or fell behind, is served.</summary>
internal interface IReplaySource
{
    /// <summary>All changes of a prefix with <paramref name="from"/> ≤ revision ≤ <paramref name="to"/>, in order, in whole revisions.</summary>
    /// <exception cref="CompactedException">The start was compacted.</exception>
    IAsyncEnumerable<StoreWatchBatch> ReplayAsync(string prefix, long from, long to, CancellationToken cancellationToken);
}
