using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Ephemeral containers: started once as soon as there is a sandbox, never restarted.</summary>
internal static class EphemeralRules
{
    public static void Apply(DecisionPass pass, SandboxView sandbox, bool resourcesReady)
    {
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind != ContainerKind.Ephemeral)
            {
                continue;
            }

            switch (pass.Runtime.Latest(spec.Name))
            {
                case null or { State: RunState.Created }:
                    ContainerRules.Start(pass, spec, sandbox, resourcesReady);
                    break;
                case { IsAlive: true } running:
                    ContainerRules.Tend(pass, spec, running);
                    break;
            }
        }
    }
}
