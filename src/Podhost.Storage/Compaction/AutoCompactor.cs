using Microsoft.Extensions.Logging;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Compaction;

/// <summary>Compacts a store by its schedule until cancelled.</summary>
/// <param name="store">The store.</param>
/// <param name="options">How much is kept.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures are told; a failed compaction is tried again at the next mark.</param>
public sealed partial class AutoCompactor(IStore store, AutoCompactionOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Runs until cancelled. Ends at once where automatic compaction is off.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.Retention <= TimeSpan.Zero)
        {
            return;
        }

        var schedule = new CompactionSchedule(options);
        using var timer = new PeriodicTimer(options.Retention / CompactionSchedule.MarksPerRetention, time);
        do
        {
            try
            {
                var revision = await store.CurrentRevisionAsync(cancellationToken).ConfigureAwait(false);
                if (schedule.Next(time.GetUtcNow(), revision) is { } target)
                {
                    await store.CompactAsync(target, cancellationToken).ConfigureAwait(false);
                    LogCompacted(logger, target);
                }
            }
            catch (StoreException e)
            {
                LogFailed(logger, e);
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "history compacted to revision {Revision}")]
    private static partial void LogCompacted(ILogger logger, long revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "history could not be compacted; trying again later")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
