using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Preemption;

/// <summary>
/// On which node pods of lower priority make room for a pod that fits nowhere, and which of them. Pure. The rules and messages are those of
/// upstream's DefaultPreemption: fewest violated disruption budgets, then the least important victims, then the fewest, then the youngest.
/// </summary>
internal static class PreemptionDecider
{
    private const int MinCandidates = 100;
    private static readonly Rejection NotHelpful = Rejection.Final("Preemption is not helpful for scheduling");

    /// <summary>Decides for a pod that was refused everywhere.</summary>
    public static PreemptionResult Decide(PodView pod, ClusterView cluster, SchedulingResult refused, DisruptionBudgets budgets)
    {
        if (pod.Spec.PreemptionPolicy == "Never")
        {
            return PreemptionResult.NotEligible("not eligible due to preemptionPolicy=Never.");
        }

        if (AwaitsVictims(pod, cluster, refused))
        {
            return PreemptionResult.NotEligible("not eligible due to a terminating pod on the nominated node.");
        }

        // As upstream: not every node of a large cluster is tried, only enough to choose from.
        var most = Math.Max(MinCandidates, cluster.Nodes.Length / 10);
        var candidates = new List<Candidate>();
        var rejections = new List<Rejection>();
        foreach (var (node, why) in refused.Rejections)
        {
            var answer = why.PreemptionHelps && candidates.Count < most ? VictimSelection.On(node, pod, cluster, budgets) : (null, NotHelpful);
            if (answer.Candidate is { } candidate)
            {
                candidates.Add(candidate);
            }
            else
            {
                rejections.Add(answer.Why!);
            }
        }

        return candidates.Count == 0
            ? PreemptionResult.Nowhere(SchedulingDecider.Told(cluster.Nodes.Length, rejections))
            : candidates.Order(Candidate.ByDamage).Select(c => new PreemptionResult(c.Node, c.Victims, "")).First();
    }

    // The victims of an earlier try are still on their way out. Where the node became impossible meanwhile, they are not waited for.
    private static bool AwaitsVictims(PodView pod, ClusterView cluster, SchedulingResult refused) =>
        pod.Pod.Status?.NominatedNodeName is { Length: > 0 } name
        && cluster.Find(name) is { } node
        && refused.Rejections.Any(r => r.Node.Name == name && r.Why.PreemptionHelps)
        && Array.Exists(node.Pods, p => p.IsTerminating && p.Priority < pod.Priority && IsVictim(p));

    private static bool IsVictim(PodView pod) =>
        pod.Pod.Status?.Conditions?.Any(c => c is { Type: "DisruptionTarget", Status: "True", Reason: "PreemptionByScheduler" }) == true;
}
