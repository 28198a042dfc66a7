using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Podhost.Kubelet.Server.Logs;

/// <summary>Which part of a log is asked for (PodLogOptions).</summary>
internal sealed record LogOptions
{
    /// <summary>Go on with what is written from now on, until the container ends.</summary>
    public bool Follow { get; init; }

    /// <summary>Of the instance before the newest.</summary>
    public bool Previous { get; init; }

    /// <summary>Each line begins with its time stamp.</summary>
    public bool Timestamps { get; init; }

    /// <summary>Only so many last lines.</summary>
    public long? TailLines { get; init; }

    /// <summary>At most so many bytes.</summary>
    public long? LimitBytes { get; init; }

    /// <summary>Only lines from this time on.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>stdout only (false), stderr only (true), or both.</summary>
    public bool? Stderr { get; init; }

    /// <summary>Reads a query.</summary>
    /// <exception cref="KubeletRequestException">A value is malformed.</exception>
    public static LogOptions Parse(IQueryCollection query, DateTimeOffset now)
    {
        var seconds = Number(query, "sinceSeconds", 1);
        DateTimeOffset? since = seconds is { } ago ? now - TimeSpan.FromSeconds(Math.Min(ago, int.MaxValue)) : null;
        if (query["sinceTime"].ToString() is { Length: > 0 } text)
        {
            since = seconds is null
                ? CriLogLine.ParseTime(text) ?? throw KubeletRequestException.BadRequest($"sinceTime: Invalid value: \"{text}\": must be RFC 3339")
                : throw KubeletRequestException.BadRequest("at most one of `sinceTime` or `sinceSeconds` may be specified");
        }

        return new LogOptions
        {
            Follow = Flag(query, "follow"),
            Previous = Flag(query, "previous"),
            Timestamps = Flag(query, "timestamps"),
            TailLines = Number(query, "tailLines", 0),
            LimitBytes = Number(query, "limitBytes", 1),
            Since = since,
            Stderr = query["stream"].ToString() switch
            {
                "" or "All" => null,
                "Stdout" => false,
                "Stderr" => true,
                var other => throw KubeletRequestException.BadRequest($"stream: Unsupported value: \"{other}\": supported values: \"All\", \"Stderr\", \"Stdout\""),
            },
        };
    }

    private static bool Flag(IQueryCollection query, string name) => query[name].ToString() is "true" or "1" or "True" or "TRUE" or "t" or "T";

    private static long? Number(IQueryCollection query, string name, long least)
    {
        var text = query[name].ToString();
        if (text.Length == 0)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least
            ? value
            : throw KubeletRequestException.BadRequest($"{name}: Invalid value: \"{text}\": must be a number of at least {least}");
    }
}
