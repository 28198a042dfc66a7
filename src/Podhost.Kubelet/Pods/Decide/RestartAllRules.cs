using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>
/// The action RestartAllContainers of a restart rule (KEP-5532): an exit that it matches ends all init, sidecar and app containers at once,
/// without hooks and grace, takes them out of the runtime, and the pod begins with its first init container again. Sandbox, addresses and
/// volumes stay; ephemeral containers are left alone. How far it is, only the runtime tells: the instance whose exit asked for it is removed
/// last, so that a kubelet which ends in between goes on with it.
/// </summary>
internal static class RestartAllRules
{
    /// <summary>The condition that shows it.</summary>
    public const string ConditionType = "AllContainersRestarting";

    private const string Action = "RestartAllContainers";

    /// <summary>True where a rule of the pod has the action.</summary>
    public static bool IsPossible(V1Pod pod) =>
        (pod.Spec?.InitContainers ?? []).Concat(pod.Spec?.Containers ?? []).Any(c => c.RestartPolicyRules?.Any(r => r.Action == Action) == true);

    /// <summary>True while an exit that asked for it is not answered yet.</summary>
    public static bool IsAsked(DecisionPass pass) =>
        pass.Memory.Stage == Stage.Active && pass.View.Runtime is { } runtime
        && pass.Specs.Any(spec => runtime.Latest(spec.Name) is { } latest && Asks(spec, latest));

    /// <summary>True while it goes on, the decision that ends it included.</summary>
    public static bool IsUnderWay(DecisionPass pass) =>
        IsAsked(pass) || pass.Memory.Status?.Conditions?.Any(c => c is { Type: ConditionType, Status: "True" }) == true;

    /// <summary>Stops what lives, then removes what is dead. True while that goes on: nothing is started then.</summary>
    public static bool Apply(DecisionPass pass)
    {
        if (!IsAsked(pass))
        {
            return false;
        }

        if (!StopAll(pass))
        {
            RemoveAll(pass);
        }

        return true;
    }

    private static bool StopAll(DecisionPass pass)
    {
        var waits = false;
        foreach (var start in pass.View.InFlight.OfType<StartContainer>())
        {
            pass.Want(start);
            waits = true;
        }

        foreach (var instance in pass.Runtime.Containers)
        {
            if (instance.IsAlive && IsMeant(pass, instance))
            {
                var why = $"Stopping container {instance.Name}: all containers of the pod are restarted";
                StopRules.Kill(pass, pass.Spec(instance.Name), instance, why, pass.Now, isTurn: true);
                waits = true;
            }
        }

        return waits;
    }

    private static void RemoveAll(DecisionPass pass)
    {
        var meant = pass.Runtime.Containers.Where(c => IsMeant(pass, c)).ToList();
        var asking = meant.Where(c => pass.Runtime.Latest(c.Name)!.Id == c.Id && Asks(pass.Spec(c.Name)!, c)).ToList();
        foreach (var instance in meant.Count > asking.Count ? meant.Except(asking) : asking)
        {
            pass.WantWithRetry(new RemoveContainer(instance.Name, instance.Id));
        }
    }

    private static bool IsMeant(DecisionPass pass, ContainerView instance) => pass.Spec(instance.Name) is { Kind: not ContainerKind.Ephemeral };

    private static bool Asks(ContainerSpec spec, ContainerView latest) =>
        latest.State == RunState.Exited && RestartRules.Matching(spec, latest.ExitCode)?.Action == Action;
}
