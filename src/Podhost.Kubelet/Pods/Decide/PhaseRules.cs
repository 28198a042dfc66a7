using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>The pod's phase from the state of its containers.</summary>
internal static class PhaseRules
{
    /// <summary>The phase, in a pod that is not being stopped.</summary>
    public static string Compute(DecisionPass pass)
    {
        if (pass.View.Runtime is null)
        {
            return "Pending";
        }

        if (RestartAllRules.IsAsked(pass))
        {
            return HasRun(pass) ? "Running" : "Pending";
        }

        var inits = InitPhase(pass);
        if (inits is not null)
        {
            return inits == "Pending" && RestartAllRules.IsPossible(pass.Pod) && HasRun(pass) ? "Running" : inits;
        }

        var (waiting, running, unknown, ended, succeeded, restarting) = Count(pass);
        if (waiting > 0 || unknown > 0)
        {
            return RestartAllRules.IsPossible(pass.Pod) && HasRun(pass) ? "Running" : "Pending";
        }

        if (running > 0)
        {
            return "Running";
        }

        if (ended == 0)
        {
            return "Pending";
        }

        return restarting > 0 ? "Running" : ended == succeeded ? "Succeeded" : "Failed";
    }

    /// <summary>The phase in which a stopped pod ends, with everything dead: a container that never ran to an end makes it Failed.</summary>
    public static TerminalFact Final(DecisionPass pass)
    {
        var (waiting, _, unknown, ended, succeeded, _) = Count(pass);
        var done = waiting == 0 && unknown == 0 && ended > 0 && ended == succeeded && InitPhase(pass) is null;
        return new TerminalFact(done ? "Succeeded" : "Failed", null, null);
    }

    // A pod whose containers are all restarted in its place does not become pending again.
    private static bool HasRun(DecisionPass pass) => pass.Memory.Status?.Phase == "Running";

    private static string? InitPhase(DecisionPass pass)
    {
        var sandbox = SandboxRules.Newest(pass);
        if (sandbox is not null && InitRules.IsInitialized(pass, sandbox.Id))
        {
            return null;
        }

        var lost = SandboxRules.IsLostForGood(pass);
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind != ContainerKind.Init)
            {
                break;
            }

            var instance = sandbox is null ? null : pass.Runtime.LatestIn(spec.Name, sandbox.Id);
            if (instance is { State: RunState.Exited } && !RestartRules.ShouldRestart(pass.Pod, spec, instance.ExitCode))
            {
                if (instance.ExitCode != 0)
                {
                    return "Failed";
                }

                continue;
            }

            if (spec.IsSidecar && instance is not null && ContainerRules.IsStarted(pass, spec, instance))
            {
                continue;
            }

            return lost && !pass.Runtime.AnyAlive ? "Failed" : "Pending";
        }

        return null;
    }

    private static (int Waiting, int Running, int Unknown, int Ended, int Succeeded, int Restarting) Count(DecisionPass pass)
    {
        int waiting = 0, running = 0, unknown = 0, ended = 0, succeeded = 0, restarting = 0;
        var lost = SandboxRules.IsLostForGood(pass);
        foreach (var spec in pass.Specs)
        {
            if (spec.Kind != ContainerKind.Main)
            {
                continue;
            }

            switch (pass.Runtime.Latest(spec.Name))
            {
                case null or { State: RunState.Created }:
                    _ = lost ? ended++ : waiting++;
                    break;
                case { State: RunState.Unknown }:
                    unknown++;
                    break;
                case { State: RunState.Running } live:
                    _ = ContainerRules.OwesPostStart(pass, spec, live) ? waiting++ : running++;
                    break;
                case { } exited:
                    ended++;
                    succeeded += exited.ExitCode == 0 ? 1 : 0;
                    restarting += RestartRules.ShouldRestart(pass.Pod, spec, exited.ExitCode) ? 1 : 0;
                    break;
            }
        }

        return (waiting, running, unknown, ended, succeeded, restarting);
    }
}
