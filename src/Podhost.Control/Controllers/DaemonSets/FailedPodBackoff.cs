namespace Podhost.Control.Controllers.DaemonSets;

/// <summary>
/// How long a failed pod of a set stays on its node before the next one is tried: a second, doubled each time up to 15 minutes, and from the
/// beginning after half an hour of peace. Upstream's failedPodsBackoff.
/// </summary>
internal sealed class FailedPodBackoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    private readonly Lock gate = new();
    private readonly Dictionary<(string Set, string Node), (TimeSpan Delay, DateTimeOffset Since)> entries = [];

    /// <summary>The time that is left; null where the pod may go now, which counts as one more.</summary>
    /// <param name="set">UID of the set.</param>
    /// <param name="node">The node.</param>
    public TimeSpan? Left(string set, string node)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (!entries.TryGetValue((set, node), out var entry) || now - entry.Since > 2 * Longest)
            {
                entry = (First, now);
            }
            else if (entry.Since + entry.Delay is var until && until > now)
            {
                return until - now;
            }
            else
            {
                entry = (TimeSpan.FromTicks(Math.Min(Longest.Ticks, entry.Delay.Ticks * 2)), now);
            }

            entries[(set, node)] = entry;
            return null;
        }
    }

    /// <summary>Forgets a set that is gone.</summary>
    public void Forget(string set)
    {
        lock (gate)
        {
            foreach (var key in entries.Keys.Where(k => k.Set == set).ToList())
            {
                entries.Remove(key);
            }
        }
    }

    /// <summary>Forgets a node that is gone.</summary>
    public void ForgetNode(string node)
    {
        lock (gate)
        {
            foreach (var key in entries.Keys.Where(k => k.Node == node).ToList())
            {
                entries.Remove(key);
            }
        }
    }
}
