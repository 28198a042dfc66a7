using System.Diagnostics;
using System.Globalization;

namespace Podhost.Bench.Pods;

/// <summary>Durations of one thing, measured again and again.</summary>
internal sealed class Samples
{
    private readonly List<double> _milliseconds = [];

    internal int Count => _milliseconds.Count;

    internal double P50 => Rank(0.50);

    internal double P95 => Rank(0.95);

    internal void Add(TimeSpan duration) => _milliseconds.Add(duration.TotalMilliseconds);

    internal async Task MeasureAsync(Func<Task> action)
    {
        var started = Stopwatch.GetTimestamp();
        await action();
        Add(Stopwatch.GetElapsedTime(started));
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"p50 {P50:F0} ms, p95 {P95:F0} ms (n={Count})");

    // The nearest rank: a value that was really measured.
    private double Rank(double share)
    {
        var sorted = _milliseconds.Order().ToList();
        return sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];
    }
}
