using Podhost.Kubelet.Probes.Handlers;

namespace Podhost.Kubelet.Probes;

/// <summary>Attempts of a worker by result, for prober_probe_total.</summary>
internal sealed class ProbeCounts
{
    private long successful;
    private long failed;
    private long unknown;

    /// <summary>Counts an attempt and turns its verdict into a result.</summary>
    public ProbeResult Add(ProbeVerdict verdict)
    {
        switch (verdict)
        {
            case ProbeVerdict.Success or ProbeVerdict.Warning:
                Interlocked.Increment(ref successful);
                return ProbeResult.Success;
            case ProbeVerdict.Failure:
                Interlocked.Increment(ref failed);
                return ProbeResult.Failure;
            default:
                Interlocked.Increment(ref unknown);
                return ProbeResult.Unknown;
        }
    }

    /// <summary>The numbers now.</summary>
    public (long Successful, long Failed, long Unknown) Read() =>
        (Interlocked.Read(ref successful), Interlocked.Read(ref failed), Interlocked.Read(ref unknown));
}

/// <summary>Attempts of one probe of one container, for the kubelet's /metrics/probes.</summary>
/// <param name="Target">The probe.</param>
/// <param name="Successful">Attempts that succeeded.</param>
/// <param name="Failed">Attempts that failed.</param>
/// <param name="Unknown">Attempts that did not work.</param>
public sealed record ProbeCount(ProbeTarget Target, long Successful, long Failed, long Unknown);
