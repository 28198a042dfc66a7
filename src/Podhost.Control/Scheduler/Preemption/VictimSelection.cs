using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Preemption;

/// <summary>The smallest set of victims on one node: all pods of lower priority leave in thought, then one after the other is taken back while the pod still fits.</summary>
internal static class VictimSelection
{
    private static readonly Rejection NoVictims = Rejection.Final("No preemption victims found for incoming pod");

    public static (Candidate? Candidate, Rejection? Why) On(NodeView node, PodView pod, ClusterView cluster, DisruptionBudgets budgets)
    {
        var lower = Array.FindAll(node.Pods, p => p.Priority < pod.Priority);
        if (lower.Length == 0)
        {
            return (null, NoVictims);
        }

        var left = node.Without(lower.Select(p => p.Uid).ToHashSet());
        if (Check(left) is { } why)
        {
            return (null, why);
        }

        Array.Sort(lower, Importance.MostFirst);
        var violating = budgets.Violating(lower);

        // Those whose budget would be broken are spared first.
        var victims = new List<PodView>();
        foreach (var candidate in lower.OrderByDescending(violating.Contains))
        {
            var with = left.With(candidate);
            if (Check(with) is null)
            {
                left = with;
            }
            else
            {
                victims.Add(candidate);
            }
        }

        victims.Sort(Importance.MostFirst);
        return victims.Count == 0 ? (null, NoVictims) : (new Candidate(node.Name, victims, victims.Count(violating.Contains)), null);

        Rejection? Check(NodeView changed) => SchedulingDecider.Check(new PodCycle(pod, cluster.With(changed)), changed);
    }
}
