using k8s.Models;

namespace Podhost.Control.Controllers.NodeLifecycle;

/// <summary>What was last heard of a node. Pure. The node's clock is not trusted: a beat counts from when it was seen here.</summary>
/// <param name="Renewed">renewTime of its Lease; null where there is none.</param>
/// <param name="Posted">lastHeartbeatTime of its Ready condition; null where there is none.</param>
/// <param name="SeenAt">When one of them last changed.</param>
internal sealed record NodeHealth(DateTime? Renewed, DateTime? Posted, DateTimeOffset SeenAt)
{
    /// <summary>The health after another look.</summary>
    public static NodeHealth Of(NodeHealth? before, V1Node node, V1Lease? lease, DateTimeOffset now)
    {
        // The lease may be absent for a moment from a copy that is read anew: that is no beat.
        var renewed = lease?.Spec?.RenewTime ?? before?.Renewed;
        var posted = NodeLifecycleRules.Ready(node)?.LastHeartbeatTime;
        return before is not null && before.Renewed == renewed && before.Posted == posted ? before : new NodeHealth(renewed, posted, now);
    }

    /// <summary>When the node counts as lost if nothing is heard until then.</summary>
    public DateTimeOffset ExpiresAt(NodeLifecycleOptions options) => SeenAt + (Posted is null ? options.StartupGracePeriod : options.MonitorGracePeriod);
}
