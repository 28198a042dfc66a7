using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Init containers: one at a time, in order, each to success; a sidecar lets the next begin once it is started.</summary>
internal static class InitRules
{
    /// <summary>True where app containers may start.</summary>
    public static bool Apply(DecisionPass pass, SandboxView sandbox, bool resourcesReady)
    {
        var initialized = IsInitialized(pass, sandbox.Id);
        var before = true;
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind != ContainerKind.Init)
            {
                break;
            }

            if (initialized && !spec.IsSidecar)
            {
                EndUnknown(pass, spec, sandbox);
                continue;
            }

            if (!Step(pass, spec, sandbox, resourcesReady))
            {
                before = false;
                if (!initialized)
                {
                    break;
                }
            }
        }

        return initialized || before;
    }

    /// <summary>True where an app container was created in this sandbox: its init containers are done, whatever became of their records.</summary>
    public static bool IsInitialized(DecisionPass pass, string sandboxId)
    {
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind == ContainerKind.Main && pass.Runtime.LatestIn(spec.Name, sandboxId) is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An init container whose state the runtime has lost does not matter any more, but must not go on.</summary>
    private static void EndUnknown(DecisionPass pass, ContainerSpec spec, SandboxView sandbox)
    {
        if (pass.Runtime.LatestIn(spec.Name, sandbox.Id) is { State: RunState.Unknown } instance)
        {
            ContainerRules.Tend(pass, spec, instance);
        }
    }

    /// <summary>Brings one init container on. True where the next may begin.</summary>
    private static bool Step(DecisionPass pass, ContainerSpec spec, SandboxView sandbox, bool resourcesReady)
    {
        var instance = pass.Runtime.LatestIn(spec.Name, sandbox.Id);
        if (instance is { IsAlive: true })
        {
            return ContainerRules.Tend(pass, spec, instance) == Progress.Running && spec.IsSidecar && ContainerRules.IsStarted(pass, spec, instance);
        }

        if (instance is { State: RunState.Exited } && !RestartRules.ShouldRestart(pass.Pod, spec, instance.ExitCode))
        {
            return instance.ExitCode == 0;
        }

        ContainerRules.Start(pass, spec, sandbox, resourcesReady);
        return false;
    }
}
