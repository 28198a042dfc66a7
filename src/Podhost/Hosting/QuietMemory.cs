using Podhost.Linux.Processes;

namespace Podhost.Hosting;

/// <summary>
/// Returns memory when a burst of work is over (the start, an image that was loaded, fifty pods that were created). What the burst left is
/// garbage, and an idle process would keep it for hours: the collector runs only when something allocates.
/// </summary>
internal readonly record struct QuietMemory(long Seen, long Returned)
{
    /// <summary>How often the allocations are looked at. The collector tells nobody that nothing is allocated any more.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Bytes allocated since the last return that make another one worth its pause.</summary>
    public const long Burst = 16 << 20;

    /// <summary>Bytes allocated in one interval up to which it counts as quiet: probes and status writes go on below it.</summary>
    public const long Murmur = 1 << 20;

    /// <summary>What is to be done one interval later.</summary>
    /// <param name="allocated">Bytes that the process has allocated since its start.</param>
    /// <returns>Whether to return memory now, and what to remember.</returns>
    public (bool Return, QuietMemory Next) Look(long allocated)
    {
        var quiet = allocated - Seen <= Murmur && allocated - Returned >= Burst;
        return (quiet, new QuietMemory(allocated, quiet ? allocated : Returned));
    }

    /// <summary>Watches the allocations of this process until cancelled.</summary>
    /// <param name="time">The clock of the intervals.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    public static async Task RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var memory = default(QuietMemory);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            (var due, memory) = memory.Look(GC.GetTotalAllocatedBytes());
            if (due)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                ProgramPages.Release();
            }
        }
    }
}
