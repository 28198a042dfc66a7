using k8s.Models;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Scheduler.Filters;

namespace Podhost.Control.Controllers.DaemonSets;

/// <summary>The pods of a DaemonSet: which node each is for, and on which nodes there shall be one. Pure. Source: upstream's daemon controller.</summary>
internal static class DaemonPods
{
    // The pods of a DaemonSet come before the node is ready and stay while it is in trouble.
    private static readonly (string Key, string Effect)[] Tolerated =
    [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];

    private const string NetworkUnavailable = "node.kubernetes.io/network-unavailable";
    private const string NodeName = "metadata.name";

    /// <summary>A pod for a node. The scheduler places it: it may go nowhere else.</summary>
    /// <param name="set">The set.</param>
    /// <param name="reference">The reference to it.</param>
    /// <param name="hash">The hash of the revision of its template.</param>
    /// <param name="node">The node.</param>
    public static V1Pod Make(V1DaemonSet set, V1OwnerReference reference, string hash, string node)
    {
        var pod = PodTemplates.Make(set.Spec.Template, set, reference);
        (pod.Metadata.Labels ??= new Dictionary<string, string>(StringComparer.Ordinal))[RevisionRules.PodRevision] = hash;
        pod.Spec.Tolerations = TolerationsOf(pod.Spec);
        var affinity = (pod.Spec.Affinity ??= new V1Affinity()).NodeAffinity ??= new V1NodeAffinity();
        var only = new V1NodeSelectorRequirement { Key = NodeName, OperatorProperty = "In", Values = [node] };

        // Instead of the template's own terms, which the node satisfies already.
        affinity.RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector { NodeSelectorTerms = [new V1NodeSelectorTerm { MatchFields = [only] }] };
        return pod;
    }

    /// <summary>The node that a pod is on, or for; empty where it tells none.</summary>
    public static string NodeOf(V1Pod pod) => !string.IsNullOrEmpty(pod.Spec.NodeName)
        ? pod.Spec.NodeName
        : pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms?
            .SelectMany(t => t.MatchFields ?? []).FirstOrDefault(f => f is { Key: NodeName, OperatorProperty: "In", Values.Count: 1 })?.Values[0] ?? "";

    /// <summary>Whether a node shall get a pod of the set, and whether one that it has may stay.</summary>
    public static (bool ShouldRun, bool MayStay) PlaceOn(V1DaemonSet set, V1Node node)
    {
        var spec = set.Spec.Template.Spec;
        if ((!string.IsNullOrEmpty(spec.NodeName) && spec.NodeName != node.Metadata.Name) || !NodeAffinityFilter.Matches(spec, node))
        {
            return (false, false);
        }

        var tolerations = TolerationsOf(spec);
        var taints = (node.Spec?.Taints ?? []).Where(t => t.Effect is "NoSchedule" or "NoExecute" && !Tolerations.Tolerates(tolerations, t)).ToList();
        return (taints.Count == 0, taints.All(t => t.Effect != "NoExecute"));
    }

    private static List<V1Toleration> TolerationsOf(V1PodSpec spec)
    {
        var all = new List<V1Toleration>(spec.Tolerations ?? []);
        foreach (var (key, effect) in spec.HostNetwork == true ? Tolerated.Append((NetworkUnavailable, "NoSchedule")) : Tolerated)
        {
            all.RemoveAll(t => t.Key == key && t.Effect == effect && t.OperatorProperty == "Exists");
            all.Add(new V1Toleration { Key = key, OperatorProperty = "Exists", Effect = effect });
        }

        return all;
    }
}
