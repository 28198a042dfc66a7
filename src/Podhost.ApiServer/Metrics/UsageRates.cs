using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Metrics;

/// <summary>
/// CPU rates from counters: since the last request's look at them where that was a moment ago, else since the start of what they count. So nothing is
/// polled while nobody asks. Looks are kept for two minutes.
/// </summary>
internal sealed class UsageRates
{
    // Kubelets tell whole seconds: a shorter window would be a guess.
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Sample> _last = [];

    /// <summary>Forgets looks that are too long ago to compare with.</summary>
    public void Begin(DateTimeOffset now)
    {
        lock (_gate)
        {
            foreach (var (key, _) in _last.Where(l => now - l.Value.At > Longest).ToList())
            {
                _last.Remove(key);
            }
        }
    }

    /// <summary>The rate of one counter, or null where nothing is known.</summary>
    /// <param name="key">Whose counter it is, the start of the counting included.</param>
    /// <param name="stats">A node or container of a summary.</param>
    public (long NanoCores, TimeSpan Window)? Of(string key, JsonObject stats)
    {
        if (Number(stats, "usageNanoCores") is > 0 and var told)
        {
            return (told, TimeSpan.FromSeconds(10));
        }

        if (Number(stats, "usageCoreNanoSeconds") is not { } counter || Time(Meta.At(stats, "cpu", "time")) is not { } at)
        {
            return null;
        }

        Sample? from;
        lock (_gate)
        {
            var isKnown = _last.TryGetValue(key, out var last) && at - last.At <= Longest && last.Counter <= counter;
            from = isKnown && at - last.At >= Shortest ? last : Time(stats["startTime"]) is { } started ? new Sample(started, 0) : null;
            if (!isKnown || at - last.At >= Shortest)
            {
                _last[key] = new Sample(at, counter);
            }
        }

        return from is { } sample && at - sample.At is var window && window > TimeSpan.Zero ? ((long)((counter - sample.Counter) / window.TotalSeconds), window) : null;
    }

    private static long? Number(JsonObject stats, string field) => Meta.At(stats, "cpu", field) is JsonValue v && v.TryGetValue(out long n) ? n : null;

    private static DateTimeOffset? Time(JsonNode? node) =>
        DateTimeOffset.TryParse(Meta.Text(node), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private readonly record struct Sample(DateTimeOffset At, long Counter);
}
