using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>App containers: all of them run, each restarted as its policy says.</summary>
internal static class MainContainerRules
{
    public static void Apply(DecisionPass pass, SandboxView sandbox, bool resourcesReady)
    {
        // A postStart hook holds the containers after it back: upstream starts them one after the other, and manifests rely on it.
        var held = false;
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind != ContainerKind.Main)
            {
                continue;
            }

            var progress = Step(pass, spec, sandbox, resourcesReady, held);
            held |= progress == Progress.Starting && spec.Container.Lifecycle?.PostStart is not null;
        }
    }

    private static Progress Step(DecisionPass pass, ContainerSpec spec, SandboxView sandbox, bool resourcesReady, bool held)
    {
        var instance = pass.Runtime.LatestIn(spec.Name, sandbox.Id);
        if (instance is { IsAlive: true })
        {
            return ContainerRules.Tend(pass, spec, instance);
        }

        if ((instance ?? pass.Runtime.Latest(spec.Name)) is { State: RunState.Exited } ended && !RestartRules.ShouldRestart(pass.Pod, spec, ended.ExitCode))
        {
            return Progress.Waiting;
        }

        return held ? Progress.Waiting : ContainerRules.Start(pass, spec, sandbox, resourcesReady);
    }
}
