namespace Podhost.Kubelet.Probes;

/// <summary>Counts equal attempts in a row and says when they make a result. Unknown attempts count for nothing.</summary>
internal sealed class ProbeThresholds
{
    private ProbeResult? last;
    private int run;
    private ProbeResult? reported;

    /// <summary>Takes an attempt.</summary>
    /// <returns>The result where it differs from the one before; null where nothing changed.</returns>
    public ProbeResult? Add(ProbeResult attempt, int successThreshold, int failureThreshold)
    {
        if (attempt == ProbeResult.Unknown)
        {
            return null;
        }

        run = attempt == last ? run + 1 : 1;
        last = attempt;
        var needed = attempt == ProbeResult.Success ? successThreshold : failureThreshold;
        if (run < needed || attempt == reported)
        {
            return null;
        }

        reported = attempt;
        return attempt;
    }
}
