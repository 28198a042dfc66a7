using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>How running containers are stopped: preStop inside the grace, order, signals and deadlines.</summary>
internal static class StopRules
{
    /// <summary>What a container gets at the end of its grace whatever happened before.</summary>
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    /// <summary>The grace of the spec.</summary>
    public static TimeSpan GraceOf(V1Pod pod) => TimeSpan.FromSeconds(Math.Max(0, pod.Spec?.TerminationGracePeriodSeconds ?? 30));

    /// <summary>Stops everything that runs: app containers at once, sidecars in reverse order when it is their turn.</summary>
    public static void KillAll(DecisionPass pass, DateTimeOffset deadline)
    {
        foreach (var instance in pass.Runtime.Containers)
        {
            if (instance.IsAlive)
            {
                Kill(pass, pass.Spec(instance.Name), instance, $"Stopping container {instance.Name}", deadline, IsTurn(pass, instance));
            }
        }
    }

    /// <summary>Begins or goes on with the stop of one instance.</summary>
    /// <param name="pass">The decision.</param>
    /// <param name="spec">Its spec, or null where the spec does not have it any more.</param>
    /// <param name="instance">The instance.</param>
    /// <param name="message">Message of the Killing event.</param>
    /// <param name="deadline">End of its grace; a later one than before is ignored.</param>
    /// <param name="isTurn">False for a sidecar that waits for others.</param>
    public static void Kill(DecisionPass pass, ContainerSpec? spec, ContainerView instance, string message, DateTimeOffset deadline, bool isTurn)
    {
        var kill = Plan(pass, spec, instance, message, deadline, isTurn);
        var preStopEnded = RunPreStop(pass, spec, instance, kill);
        if (preStopEnded is null)
        {
            return;
        }

        if (kill.TurnAt is null)
        {
            if (pass.Now < kill.Deadline)
            {
                pass.Wake(kill.Deadline);
                return;
            }

            kill = kill with { TurnAt = pass.Now };
            pass.Instance(instance.Id, i => i with { Kill = kill });
        }

        var floor = Max(kill.TurnAt.Value, preStopEnded.Value) + LeastGrace;
        pass.WantWithRetry(new StopContainer(instance.Name, instance.Id, Max(kill.Deadline, floor)));
    }

    private static KillPlan Plan(DecisionPass pass, ContainerSpec? spec, ContainerView instance, string message, DateTimeOffset deadline, bool isTurn)
    {
        var known = pass.Instance(instance.Id).Kill;
        var kill = known ?? new KillPlan(pass.Now, deadline, null);
        if (deadline < kill.Deadline)
        {
            kill = kill with { Deadline = deadline };
        }

        if (isTurn && kill.TurnAt is null)
        {
            kill = kill with { TurnAt = pass.Now };
        }

        if (known is null)
        {
            var about = spec ?? new ContainerSpec(new V1Container { Name = instance.Name }, instance.Kind ?? ContainerKind.Main);
            pass.Normal("Killing", message, about);
        }

        if (kill != known)
        {
            pass.Instance(instance.Id, i => i with { Kill = kill });
        }

        return kill;
    }

    /// <summary>When the preStop hook ended (long ago where there is none), or null while it may run on.</summary>
    private static DateTimeOffset? RunPreStop(DecisionPass pass, ContainerSpec? spec, ContainerView instance, KillPlan kill)
    {
        var memory = pass.Instance(instance.Id);
        var owed = spec?.Container.Lifecycle?.PreStop is not null && instance.State == RunState.Running && kill.Deadline > kill.Since;
        if (!owed || memory.PreStop != HookState.Pending)
        {
            return memory.PreStopEndedAt;
        }

        if (pass.Now < kill.Deadline)
        {
            pass.Want(new RunPreStop(instance.Name, instance.Id));
            pass.Wake(kill.Deadline);
            return null;
        }

        // The hook has spent the grace. It is not wanted any more, which cancels it.
        pass.Instance(instance.Id, i => i with { PreStop = HookState.Failed, PreStopEndedAt = pass.Now });
        return pass.Now;
    }

    private static bool IsTurn(DecisionPass pass, ContainerView instance)
    {
        var index = SidecarIndex(pass, instance.Name);
        if (index < 0)
        {
            return true;
        }

        foreach (var other in pass.Runtime.Containers)
        {
            if (other.IsAlive && other.Id != instance.Id)
            {
                var otherIndex = SidecarIndex(pass, other.Name);
                if (otherIndex < 0 || otherIndex > index)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Place among the init containers of a sidecar; -1 for any other container.</summary>
    private static int SidecarIndex(DecisionPass pass, string name)
    {
        for (var i = 0; i < pass.Specs.Count; i++)
        {
            if (pass.Specs[i].Name == name)
            {
                return pass.Specs[i].IsSidecar ? i : -1;
            }
        }

        return -1;
    }

    private static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
