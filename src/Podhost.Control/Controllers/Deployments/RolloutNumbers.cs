using System.Globalization;
using k8s.Models;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>How far a rollout may go at any moment. Pure.</summary>
/// <param name="Replicas">Pods that are wanted.</param>
/// <param name="MaxSurge">Pods that there may be beyond that.</param>
/// <param name="MaxUnavailable">Pods that may be missing.</param>
internal sealed record RolloutNumbers(int Replicas, int MaxSurge, int MaxUnavailable)
{
    public int Most => Replicas + MaxSurge;

    public int MinAvailable => Replicas - MaxUnavailable;

    public static RolloutNumbers Of(V1Deployment deployment)
    {
        var replicas = deployment.Spec.Replicas ?? 1;
        if (deployment.Spec.Strategy?.Type == "Recreate")
        {
            return new RolloutNumbers(replicas, 0, 0);
        }

        var rolling = deployment.Spec.Strategy?.RollingUpdate;
        var (surge, unavailable) = (Resolve(rolling?.MaxSurge?.Value ?? "25%", replicas, up: true), Resolve(rolling?.MaxUnavailable?.Value ?? "25%", replicas, up: false));

        // Both would be 0 where a percentage rounds down to nothing: then the rollout could not move.
        if (surge == 0 && unavailable == 0)
        {
            unavailable = 1;
        }

        return new RolloutNumbers(replicas, surge, Math.Min(unavailable, replicas));
    }

    /// <summary>A count, or a share of a number, as a count.</summary>
    internal static int Resolve(string share, int of, bool up)
    {
        if (!share.EndsWith('%'))
        {
            return int.TryParse(share, CultureInfo.InvariantCulture, out var count) ? count : 0;
        }

        var part = int.TryParse(share.AsSpan(0, share.Length - 1), CultureInfo.InvariantCulture, out var percent) ? percent * (double)of / 100 : 0;
        return (int)(up ? Math.Ceiling(part) : Math.Floor(part));
    }
}
