using k8s.Models;

namespace Podhost.Kubelet.Probes;

/// <summary>The numbers of a probe with their defaults (PODS.md, Probes). All arithmetic is in fractions of milliseconds, whatever the API offers.</summary>
/// <param name="InitialDelay">From the container's start to the first attempt.</param>
/// <param name="Period">Between the starts of two attempts.</param>
/// <param name="Timeout">Longest attempt.</param>
/// <param name="SuccessThreshold">Successes in a row that make a result.</param>
/// <param name="FailureThreshold">Failures in a row that make a result.</param>
internal readonly record struct ProbeTimings(TimeSpan InitialDelay, TimeSpan Period, TimeSpan Timeout, int SuccessThreshold, int FailureThreshold)
{
    /// <summary>The timings of a probe's spec.</summary>
    public static ProbeTimings Of(V1Probe probe) => new(
        TimeSpan.FromSeconds(Math.Max(0, probe.InitialDelaySeconds ?? 0)),
        Seconds(probe.PeriodSeconds, 10),
        Seconds(probe.TimeoutSeconds, 1),
        Math.Max(1, probe.SuccessThreshold ?? 1),
        probe.FailureThreshold is { } failures and > 0 ? failures : 3);

    /// <summary>When the first attempt is due.</summary>
    /// <param name="startedAt">Start of the container.</param>
    /// <param name="now">Now.</param>
    /// <param name="restartedAt">Start of the kubelet, for containers older than it; else null.</param>
    /// <param name="jitter">0 to 1.</param>
    public DateTimeOffset First(DateTimeOffset startedAt, DateTimeOffset now, DateTimeOffset? restartedAt, double jitter)
    {
        var due = startedAt + InitialDelay;
        if (due > now)
        {
            return due;
        }

        return restartedAt is { } restart && startedAt < restart && now - restart < Period ? now + (Period * jitter) : now;
    }

    /// <summary>When the attempt after the one due at <paramref name="due"/> is due: on the beat, beats that were missed are left out.</summary>
    public DateTimeOffset Next(DateTimeOffset due, DateTimeOffset now) => due + (Period * Math.Max(1, Math.Ceiling((now - due) / Period)));

    private static TimeSpan Seconds(int? value, int fallback) => TimeSpan.FromSeconds(value is { } seconds and > 0 ? seconds : fallback);
}
