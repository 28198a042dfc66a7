namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Gives back what a pod holds once nothing of it runs, and takes out of the runtime what garbage is.</summary>
internal static class CleanRules
{
    /// <summary>Dead instances of one container that are kept, for <c>kubectl logs --previous</c>; upstream's MaxPerPodContainer.</summary>
    private const int DeadKept = 1;

    /// <summary>Stage Cleaning. True where nothing is left.</summary>
    public static bool Apply(DecisionPass pass)
    {
        var remove = IsToBeRemoved(pass);
        var stopped = true;
        foreach (var container in pass.Runtime.Containers)
        {
            if (remove || container.State == RunState.Created)
            {
                pass.WantWithRetry(new RemoveContainer(container.Name, container.Id));
            }
        }

        foreach (var sandbox in pass.Runtime.Sandboxes)
        {
            if (!pass.Memory.StoppedSandboxes.Contains(sandbox.Id))
            {
                stopped = false;
                pass.WantWithRetry(new StopSandbox(sandbox.Id));
            }
            else if (remove && !pass.Runtime.Containers.Any(c => c.SandboxId == sandbox.Id))
            {
                pass.WantWithRetry(new RemoveSandbox(sandbox.Id));
            }
        }

        if (!pass.Memory.VolumesRemoved)
        {
            pass.WantWithRetry(new UnmountVolumes());
        }

        if (stopped && !pass.Memory.CgroupRemoved)
        {
            pass.WantWithRetry(new RemoveCgroup());
        }

        return remove && LeavesNothing(pass);
    }

    /// <summary>Stage Active: older instances and the sandboxes that they lived in.</summary>
    public static void CollectGarbage(DecisionPass pass, SandboxView live)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var container in pass.Runtime.Containers)
        {
            if (container.State == RunState.Exited && (seen[container.Name] = seen.GetValueOrDefault(container.Name) + 1) > DeadKept)
            {
                pass.WantWithRetry(new RemoveContainer(container.Name, container.Id, container.LogPath));
            }
        }

        foreach (var sandbox in pass.Runtime.Sandboxes)
        {
            if (sandbox.Id != live.Id && !sandbox.Ready && !pass.Runtime.Containers.Any(c => c.SandboxId == sandbox.Id))
            {
                pass.WantWithRetry(new RemoveSandbox(sandbox.Id));
            }
        }
    }

    /// <summary>True where the pod is to leave the node; a pod that only ended keeps its containers for their logs.</summary>
    private static bool IsToBeRemoved(DecisionPass pass) =>
        pass.View.Gone || pass.View.Origin == PodOrigin.Orphan || pass.Pod.Metadata?.DeletionTimestamp is not null;

    private static bool LeavesNothing(DecisionPass pass)
    {
        if (!pass.Runtime.Containers.IsEmpty || !pass.Runtime.Sandboxes.IsEmpty)
        {
            return false;
        }

        if (!pass.Memory.LogsRemoved)
        {
            pass.WantWithRetry(new RemoveLogs());
        }

        return pass.Memory is { VolumesRemoved: true, CgroupRemoved: true, LogsRemoved: true };
    }
}
