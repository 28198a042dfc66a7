using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>A running pod has exactly one live sandbox. Where it is lost, everything is stopped and begins anew.</summary>
internal static class SandboxRules
{
    /// <summary>The live sandbox, or null: then what brings one is wanted.</summary>
    public static SandboxView? Apply(DecisionPass pass, bool resourcesReady)
    {
        if (pass.Running("sandbox") is { } creating)
        {
            pass.Want(creating);
            return null;
        }

        if (Live(pass) is { } live)
        {
            StopStrays(pass, live);
            return live;
        }

        var newest = Newest(pass);
        var create = ShouldCreate(pass);
        if (newest is not null && !TearDown(pass, newest, create))
        {
            return null;
        }

        if (create && resourcesReady)
        {
            pass.WantWithRetry(new CreateSandbox(newest is null ? 0 : newest.Attempt + 1));
        }

        return null;
    }

    /// <summary>The live sandbox, or null.</summary>
    public static SandboxView? Live(DecisionPass pass)
    {
        if (pass.View.Runtime is null || Newest(pass) is not { Ready: true } newest)
        {
            return null;
        }

        var hostNetwork = pass.Pod.Spec?.HostNetwork == true;
        return (hostNetwork || newest.IPs.Length > 0) && pass.Runtime.Sandboxes.Count(s => s.Ready) == 1 ? newest : null;
    }

    /// <summary>The sandbox that counts: the newest, live or not.</summary>
    public static SandboxView? Newest(DecisionPass pass) => pass.Runtime.Sandboxes.IsEmpty ? null : pass.Runtime.Sandboxes[0];

    /// <summary>True where the sandbox is lost and nothing would run in a new one: the pod ends with what its containers left.</summary>
    public static bool IsLostForGood(DecisionPass pass) =>
        Newest(pass) is not null && Live(pass) is null && pass.Running("sandbox") is null && !ShouldCreate(pass);

    private static bool ShouldCreate(DecisionPass pass)
    {
        if (Newest(pass) is null || pass.Runtime.Containers.IsEmpty || RestartAllRules.IsAsked(pass))
        {
            return true;
        }

        foreach (var spec in pass.Specs)
        {
            if (spec.Kind == ContainerKind.Main && MayRunAgain(pass, spec))
            {
                return true;
            }
        }

        return false;
    }

    private static bool MayRunAgain(DecisionPass pass, ContainerSpec spec) => pass.Runtime.Latest(spec.Name) switch
    {
        null or { State: RunState.Created } => RestartRules.PolicyOf(pass.Pod, spec) != "Never",
        { State: RunState.Exited } ended => RestartRules.ShouldRestart(pass.Pod, spec, ended.ExitCode),
        _ => RestartRules.ShouldRestart(pass.Pod, spec, 137),
    };

    /// <summary>Stops what lives on in a sandbox before the live one: another kubelet may have left it. Its successor waits for that.</summary>
    private static void StopStrays(DecisionPass pass, SandboxView live)
    {
        foreach (var instance in pass.Runtime.Containers)
        {
            if (instance.IsAlive && instance.SandboxId != live.Id)
            {
                StopRules.Kill(
                    pass, pass.Spec(instance.Name), instance, $"Stopping container {instance.Name}", pass.Now + StopRules.GraceOf(pass.Pod), isTurn: true);
            }
        }
    }

    /// <summary>Stops what lives in lost sandboxes, and them. True where nothing is left to stop.</summary>
    private static bool TearDown(DecisionPass pass, SandboxView newest, bool recreate)
    {
        if (recreate && pass.TellOnce("sandbox", newest.Id))
        {
            pass.Normal("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
        }

        if (pass.Runtime.AnyAlive || pass.InFlight<StartContainer>())
        {
            StopRules.KillAll(pass, pass.Now + StopRules.GraceOf(pass.Pod));
            return false;
        }

        var done = true;
        foreach (var sandbox in pass.Runtime.Sandboxes)
        {
            if (!pass.Memory.StoppedSandboxes.Contains(sandbox.Id))
            {
                pass.WantWithRetry(new StopSandbox(sandbox.Id));
                done = false;
            }
        }

        return done;
    }
}
