using k8s.Models;

namespace Podhost.Control.Controllers.NodeLifecycle;

/// <summary>What a silent or not ready node gets. Pure. Source: upstream's node lifecycle controller.</summary>
internal static class NodeLifecycleRules
{
    private const string NotReady = "node.kubernetes.io/not-ready";
    private const string Unreachable = "node.kubernetes.io/unreachable";
    private const string NoExecute = "NoExecute";

    /// <summary>Share of not ready nodes from which a zone's trouble is taken for one of the network (upstream's --unhealthy-zone-threshold).</summary>
    private const double UnhealthyZone = 0.55;

    /// <summary>The conditions that the kubelet owns.</summary>
    private static readonly string[] Owned = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

    public static V1NodeCondition? Ready(V1Node node) => node.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready");

    public static bool IsReady(V1Node node) => Ready(node) is { Status: "True" };

    /// <summary>The kubelet's conditions as they must be once it is silent: those that change; empty where all are Unknown.</summary>
    public static IReadOnlyList<V1NodeCondition> Expired(V1Node node, DateTime now)
    {
        var changed = new List<V1NodeCondition>();
        foreach (var type in Owned)
        {
            var present = node.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
            if (present?.Status == "Unknown")
            {
                continue;
            }

            changed.Add(new V1NodeCondition
            {
                Type = type,
                Status = "Unknown",
                Reason = present is null ? "NodeStatusNeverUpdated" : "NodeStatusUnknown",
                Message = present is null ? "Kubelet never posted node status." : "Kubelet stopped posting node status.",
                LastHeartbeatTime = present is null ? node.Metadata.CreationTimestamp : present.LastHeartbeatTime,
                LastTransitionTime = now,
            });
        }

        return changed;
    }

    /// <summary>All taints that a node must have, or null where it has them. Only the two NoExecute ones of a not ready node are ours.</summary>
    /// <param name="node">The node.</param>
    /// <param name="all">All nodes: where none is ready, the control plane may be the lonely one, and nothing is evicted.</param>
    /// <param name="now">timeAdded of a new taint.</param>
    public static IReadOnlyList<V1Taint>? Taints(V1Node node, IReadOnlyList<V1Node> all, DateTime now)
    {
        var present = node.Spec?.Taints ?? [];
        var wanted = all.Any(IsReady) ? Wanted(node) : null;
        var kept = present.Where(t => !IsOurs(t) || t.Key == wanted).ToList();
        var missing = wanted is not null && !kept.Any(IsOurs);
        if (missing && IsPartlyDisrupted(node, all))
        {
            // What evicts already goes on; no more is added.
            return kept.Count == present.Count ? null : kept;
        }

        if (missing)
        {
            kept.Add(new V1Taint { Key = wanted!, Effect = NoExecute, TimeAdded = now });
        }

        return missing || kept.Count != present.Count ? kept : null;
    }

    private static string? Wanted(V1Node node) => Ready(node)?.Status switch
    {
        "False" => NotReady,
        "Unknown" => Unreachable,
        _ => null,
    };

    private static bool IsOurs(V1Taint taint) => taint.Effect == NoExecute && taint.Key is (NotReady or Unreachable);

    // Upstream slows down in zones of more than 50 nodes and stops in smaller ones; a zone without any ready node goes on as usual.
    private static bool IsPartlyDisrupted(V1Node node, IReadOnlyList<V1Node> all)
    {
        var zone = all.Where(n => Zone(n) == Zone(node)).ToList();
        var lost = zone.Count(n => !IsReady(n));
        return lost > 2 && lost < zone.Count && lost >= UnhealthyZone * zone.Count;
    }

    private static (string? Region, string? Zone) Zone(V1Node node)
    {
        var labels = node.Metadata.Labels ?? new Dictionary<string, string>();
        return (labels.TryGetValue("topology.kubernetes.io/region", out var region) ? region : null,
            labels.TryGetValue("topology.kubernetes.io/zone", out var zone) ? zone : null);
    }
}
