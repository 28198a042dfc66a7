using k8s.Models;

namespace Podhost.Control.Controllers.NodeTaints;

/// <summary>The NoSchedule taints that say a node's conditions. Pure. Source: upstream's nodeConditionToTaintKeyStatusMap.</summary>
internal static class NodeTaintRules
{
    private const string Prefix = "node.kubernetes.io/";
    private const string NoSchedule = "NoSchedule";

    private static readonly (string Condition, string Status, string Key)[] Map =
    [
        ("Ready", "False", Prefix + "not-ready"),
        ("Ready", "Unknown", Prefix + "unreachable"),
        ("MemoryPressure", "True", Prefix + "memory-pressure"),
        ("DiskPressure", "True", Prefix + "disk-pressure"),
        ("PIDPressure", "True", Prefix + "pid-pressure"),
        ("NetworkUnavailable", "True", Prefix + "network-unavailable"),
    ];

    private const string Unschedulable = Prefix + "unschedulable";

    /// <summary>All taints that a node must have, or null where it has them; taints of others stay.</summary>
    public static IReadOnlyList<V1Taint>? Wanted(V1Node node, DateTime now)
    {
        var present = node.Spec?.Taints ?? [];
        var keys = Keys(node).ToHashSet(StringComparer.Ordinal);
        var kept = present.Where(t => !IsOurs(t) || keys.Contains(t.Key)).ToList();
        var missing = keys.Where(k => kept.All(t => t.Key != k || t.Effect != NoSchedule)).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0 && kept.Count == present.Count
            ? null
            : [.. kept, .. missing.Select(k => new V1Taint { Key = k, Effect = NoSchedule, TimeAdded = now })];
    }

    private static bool IsOurs(V1Taint taint) => taint.Effect == NoSchedule && (taint.Key == Unschedulable || Map.Any(m => m.Key == taint.Key));

    private static IEnumerable<string> Keys(V1Node node)
    {
        var conditions = node.Status?.Conditions ?? [];
        var keys = Map.Where(m => conditions.Any(c => c.Type == m.Condition && c.Status == m.Status)).Select(m => m.Key);
        return node.Spec?.Unschedulable == true ? keys.Append(Unschedulable) : keys;
    }
}
