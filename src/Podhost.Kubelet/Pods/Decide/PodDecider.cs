namespace Podhost.Kubelet.Pods.Decide;

/// <summary>
/// The kubelet's decision about one pod: pure, and the same for the same view. It reads no clock, writes no log and waits for nothing.
/// The parent branches by stage; what is to be done is computed by the rules, a static class a concern.
/// </summary>
internal static class PodDecider
{
    public static PodDecision Decide(PodView view)
    {
        var pass = new DecisionPass(view);
        MemoryRules.Fold(pass);
        StageRules.Advance(pass);
        switch (pass.Memory.Stage)
        {
            case Stage.Active:
                Run(pass);
                break;
            case Stage.Stopping when view.Runtime is not null:
                StopRules.KillAll(pass, pass.Memory.Plan!.Deadline);
                break;
            case Stage.Cleaning:
                if (CleanRules.Apply(pass))
                {
                    StageRules.Finish(pass);
                }

                break;
        }

        var status = StatusRules.Build(pass);
        pass.Memory = pass.Memory with { Status = status };
        return new PodDecision
        {
            Memory = pass.Memory,
            Effects = [.. pass.Effects],
            Status = status,
            Events = [.. pass.Events],
            ProbeTargets = ProbeRules.Targets(pass),
            WakeAt = pass.WakeAt,
        };
    }

    private static void Run(DecisionPass pass)
    {
        var resourcesReady = ResourceRules.Apply(pass);
        if (SandboxRules.Apply(pass, resourcesReady) is not { } sandbox)
        {
            Prefetch(pass);
            return;
        }

        EphemeralRules.Apply(pass, sandbox, resourcesReady);
        if (!RestartAllRules.Apply(pass) && InitRules.Apply(pass, sandbox, resourcesReady))
        {
            MainContainerRules.Apply(pass, sandbox, resourcesReady);
        }

        ResizeRules.Apply(pass);
        ResizeRules.Tell(pass);
        CleanRules.CollectGarbage(pass, sandbox);
    }

    /// <summary>The images of the containers that come first are brought while the sandbox is made.</summary>
    private static void Prefetch(DecisionPass pass)
    {
        if (!pass.Runtime.Containers.IsEmpty)
        {
            return;
        }

        foreach (var spec in pass.Specs)
        {
            if (spec.Kind == Containers.ContainerKind.Ephemeral)
            {
                return;
            }

            pass.Starting.Add(spec.Name);
            ImageRules.Ensure(pass, spec, 0);
            ImageRules.EnsureVolumes(pass, spec);
            if (spec.Kind == Containers.ContainerKind.Init)
            {
                return;
            }
        }
    }
}
