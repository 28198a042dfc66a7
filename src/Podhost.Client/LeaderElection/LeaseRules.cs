using k8s.Models;

namespace Podhost.Client.LeaderElection;

/// <summary>Who may take a Lease, and what it then says. Pure.</summary>
internal static class LeaseRules
{
    /// <summary>
    /// True where the candidate may write the Lease: it holds it, nobody does, or it was seen unchanged for its whole duration. The clock
    /// of the holder is never compared with ours: only the time since we saw the last change counts.
    /// </summary>
    internal static bool CanTake(V1LeaseSpec spec, string identity, TimeSpan sinceChangeSeen) =>
        string.IsNullOrEmpty(spec.HolderIdentity)
        || spec.HolderIdentity == identity
        || sinceChangeSeen >= TimeSpan.FromSeconds(spec.LeaseDurationSeconds ?? 0);

    /// <summary>The Lease of a leader that takes or renews it.</summary>
    internal static V1LeaseSpec Held(V1LeaseSpec? before, LeaderElectionOptions options, DateTime now)
    {
        var isRenewal = before?.HolderIdentity == options.Identity;
        return new V1LeaseSpec
        {
            HolderIdentity = options.Identity,
            LeaseDurationSeconds = (int)Math.Ceiling(options.LeaseDuration.TotalSeconds),
            AcquireTime = isRenewal ? before!.AcquireTime : now,
            RenewTime = now,
            LeaseTransitions = before is null ? 0 : (before.LeaseTransitions ?? 0) + (isRenewal ? 0 : 1),
        };
    }

    /// <summary>The Lease of a leader that steps down: free at once.</summary>
    internal static V1LeaseSpec Released(V1LeaseSpec before, DateTime now) => new()
    {
        HolderIdentity = "",
        LeaseDurationSeconds = 1,
        AcquireTime = now,
        RenewTime = now,
        LeaseTransitions = before.LeaseTransitions,
    };
}
