using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>Ages as kubectl prints them.</summary>
/// <remarks>Rules: k8s.io/apimachinery pkg/util/duration HumanDuration.</remarks>
internal static class Durations
{
    public const string Unknown = "<unknown>";
    private const int Day = 24;
    private const int Year = Day * 365;

    /// <summary>The age of metadata.creationTimestamp.</summary>
    public static string Age(JsonObject obj, DateTimeOffset now) => Since(Meta.Get(obj, "creationTimestamp"), now);

    /// <summary>The time since an RFC 3339 timestamp; &lt;unknown&gt; where there is none.</summary>
    public static string Since(string timestamp, DateTimeOffset now) =>
        DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? Human(now - t) : Unknown;

    /// <summary>A duration in at most two units, coarser the longer it is.</summary>
    public static string Human(TimeSpan d)
    {
        var seconds = (long)d.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }

        if (seconds < 0)
        {
            return "0s";
        }

        if (seconds < 60 * 2)
        {
            return Text($"{seconds}s");
        }

        var minutes = (long)d.TotalMinutes;
        if (minutes < 10)
        {
            return seconds % 60 is var s and not 0 ? Text($"{minutes}m{s}s") : Text($"{minutes}m");
        }

        if (minutes < 60 * 3)
        {
            return Text($"{minutes}m");
        }

        var hours = (long)d.TotalHours;
        if (hours < 8)
        {
            return minutes % 60 is var m and not 0 ? Text($"{hours}h{m}m") : Text($"{hours}h");
        }

        if (hours < Day * 2)
        {
            return Text($"{hours}h");
        }

        if (hours < Day * 8)
        {
            return hours % Day is var h and not 0 ? Text($"{hours / Day}d{h}h") : Text($"{hours / Day}d");
        }

        if (hours < Year * 2)
        {
            return Text($"{hours / Day}d");
        }

        return hours < Year * 8 && hours / Day % 365 is var days and not 0 ? Text($"{hours / Year}y{days}d") : Text($"{hours / Year}y");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
