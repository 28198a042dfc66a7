namespace Podhost.Kubelet.Server.Stats;

/// <summary>Rates of processor time between two looks, at least <see cref="Window"/> apart. Nobody looks but who asks.</summary>
internal sealed class UsageRates(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);
    private readonly Lock gate = new();
    private readonly Dictionary<string, (Look Old, Look New)> looks = new(StringComparer.Ordinal);

    /// <summary>The rate in billionths of a core; the first time the one since the beginning, 0 where that is not known.</summary>
    /// <param name="key">Whose.</param>
    /// <param name="cpuNanoseconds">Its processor time now.</param>
    /// <param name="since">When it began.</param>
    public ulong Of(string key, ulong cpuNanoseconds, DateTimeOffset? since)
    {
        var now = new Look(time.GetUtcNow(), cpuNanoseconds);
        lock (gate)
        {
            Forget(now.At);

            // One that counts less than before is another of the same name.
            if (!looks.TryGetValue(key, out var known) || known.New.Cpu > cpuNanoseconds)
            {
                var first = new Look(since ?? now.At, 0);
                known = (first, first);
            }

            if (now.At - known.New.At >= Window || known.Old == known.New)
            {
                known = (known.New, now);
            }

            looks[key] = known;
            return Rate(known.Old, now);
        }
    }

    private static ulong Rate(Look from, Look to) =>
        to.At > from.At && to.Cpu > from.Cpu ? (ulong)((to.Cpu - from.Cpu) / (to.At - from.At).TotalSeconds) : 0;

    private void Forget(DateTimeOffset now)
    {
        foreach (var key in looks.Where(l => now - l.Value.New.At > Forgotten).Select(l => l.Key).ToList())
        {
            looks.Remove(key);
        }
    }

    private readonly record struct Look(DateTimeOffset At, ulong Cpu);
}
