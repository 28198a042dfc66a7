namespace Podhost.Kubelet.Pods.Decide;

/// <summary>What must hold for every decision. A breach is a defect of the rules; the loop refuses to act on such a decision.</summary>
internal static class PodInvariants
{
    /// <summary>The breaches of a decision; empty where it may be acted upon.</summary>
    public static IReadOnlyList<string> Breaches(PodView view, PodDecision decision)
    {
        var breaches = new List<string>();
        var (before, after) = (view.Memory, decision.Memory);
        if (after.Stage < before.Stage)
        {
            breaches.Add($"the stage went back from {before.Stage} to {after.Stage}");
        }

        if (before.Plan is { } old && (after.Plan is null || after.Plan.Deadline > old.Deadline))
        {
            breaches.Add("the grace of the pod grew");
        }

        foreach (var (id, instance) in before.Instances)
        {
            if (instance.Kill is { } kill && after.Instances.TryGetValue(id, out var now) && (now.Kill is null || now.Kill.Deadline > kill.Deadline))
            {
                breaches.Add($"the grace of container {id} grew");
            }
        }

        CheckEffects(view, decision, breaches);
        if (decision.Status.Phase is "Succeeded" or "Failed" && view.Runtime is { AnyAlive: true } && view.Pod.Status?.Phase != decision.Status.Phase)
        {
            breaches.Add($"phase {decision.Status.Phase} while something lives");
        }

        return breaches;
    }

    private static void CheckEffects(PodView view, PodDecision decision, List<string> breaches)
    {
        var stage = decision.Memory.Stage;
        var alive = view.Runtime is null or { AnyAlive: true };
        var liveSandboxes = view.Runtime?.Sandboxes.Count(s => s.Ready && !decision.Memory.StoppedSandboxes.Contains(s.Id)) ?? 0;
        foreach (var effect in decision.Effects)
        {
            var breach = effect switch
            {
                StartContainer or CreateSandbox when stage != Stage.Active && !view.InFlight.Contains(effect) => "a start in stage " + stage,
                UnmountVolumes or RemoveCgroup when alive => $"{effect.Key} is taken away while something lives",
                CreateSandbox when liveSandboxes > 0 && !view.InFlight.Contains(effect) => "a second live sandbox",
                RemoveContainer r when view.Runtime?.Containers.Any(c => c.Id == r.ContainerId && c.IsAlive) == true => $"container {r.ContainerId} is removed alive",
                _ => null,
            };
            if (breach is not null)
            {
                breaches.Add(breach);
            }
        }
    }
}
