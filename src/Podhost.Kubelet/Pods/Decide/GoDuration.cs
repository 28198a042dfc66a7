using System.Globalization;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Durations as upstream's messages print them (Go's time.Duration.String).</summary>
internal static class GoDuration
{
    /// <summary>For example <c>1m20s</c>, <c>1.234s</c>, <c>25ms</c>, <c>0s</c>.</summary>
    public static string Format(TimeSpan span)
    {
        if (span == TimeSpan.Zero)
        {
            return "0s";
        }

        var c = CultureInfo.InvariantCulture;
        if (span < TimeSpan.FromSeconds(1))
        {
            return span < TimeSpan.FromMilliseconds(1)
                ? (span.Ticks / 10d).ToString("0.###", c) + "µs"
                : span.TotalMilliseconds.ToString("0.######", c) + "ms";
        }

        var seconds = (span.Ticks % TimeSpan.TicksPerMinute) / (double)TimeSpan.TicksPerSecond;
        var text = seconds.ToString("0.#######", c) + "s";
        if (span >= TimeSpan.FromMinutes(1))
        {
            text = span.Minutes.ToString(c) + "m" + text;
        }

        return span >= TimeSpan.FromHours(1) ? ((long)span.TotalHours).ToString(c) + "h" + text : text;
    }
}
