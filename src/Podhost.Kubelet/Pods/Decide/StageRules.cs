using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Moves the pod from stage to stage, and decides that and why it is stopped.</summary>
internal static class StageRules
{
    /// <summary>What a pod gets whose object was removed without a deletion: upstream's "small grace period" of a forced delete.</summary>
    private static readonly TimeSpan ForcedGrace = TimeSpan.FromSeconds(2);

    public static void Advance(DecisionPass pass)
    {
        PlanStop(pass);
        if (pass.Memory.Stage == Stage.Waiting && pass.Memory.Plan is null && IsReady(pass))
        {
            pass.Memory = pass.Memory with { Stage = Stage.Active };

            // What is adopted may have ended already.
            PlanStop(pass);
        }

        if (pass.Memory.Stage < Stage.Stopping && pass.Memory.Plan is not null)
        {
            pass.Memory = pass.Memory with { Stage = Stage.Stopping };
        }

        if (pass.Memory.Stage == Stage.Stopping && IsDead(pass))
        {
            pass.Memory = pass.Memory with { Stage = Stage.Cleaning, Terminal = pass.Memory.Terminal ?? PhaseRules.Final(pass) };
        }
    }

    public static void Finish(DecisionPass pass) => pass.Memory = pass.Memory with { Stage = Stage.Finished };

    private static bool IsReady(DecisionPass pass) => pass.View is { Runtime: not null, Admission.Admitted: true, Blocked: false };

    private static bool IsDead(DecisionPass pass) =>
        pass.View.Runtime is { AnyAlive: false } && !pass.InFlight<StartContainer>() && !pass.InFlight<CreateSandbox>();

    private static void PlanStop(DecisionPass pass)
    {
        foreach (var (cause, grace, terminal) in Causes(pass))
        {
            Merge(pass, cause, grace, terminal);
        }
    }

    private static IEnumerable<(StopCause Cause, TimeSpan Grace, TerminalFact? Terminal)> Causes(DecisionPass pass)
    {
        var pod = pass.Pod;
        var view = pass.View;
        if (pod.Status?.Phase is "Succeeded" or "Failed" && view.Origin == PodOrigin.Api && pass.Memory.Terminal is null)
        {
            yield return (StopCause.Completed, StopRules.GraceOf(pod), new TerminalFact(pod.Status.Phase, pod.Status.Reason, pod.Status.Message));
        }

        if (pod.Metadata?.DeletionTimestamp is not null)
        {
            yield return (StopCause.Deleted, DeletionGrace(pod), null);
        }

        if (view.Origin == PodOrigin.Orphan)
        {
            if (view.Runtime is not null)
            {
                yield return (StopCause.Gone, OrphanGrace(pass), null);
            }
        }
        else if (view.Gone)
        {
            yield return (StopCause.Gone, view.Origin == PodOrigin.Api ? Min(StopRules.GraceOf(pod), ForcedGrace) : StopRules.GraceOf(pod), null);
        }

        if (view.Stop is { } stop)
        {
            var disrupted = stop.Cause is StopCause.Evicted or StopCause.NodeShutdown;
            yield return (stop.Cause, stop.Grace, new TerminalFact("Failed", stop.Reason, stop.Message, disrupted) { Disruption = stop.Disruption });
        }

        if (view.Admission is { Admitted: false } no && pass.Memory.Stage == Stage.Waiting)
        {
            yield return (StopCause.Rejected, TimeSpan.Zero, new TerminalFact("Failed", no.Reason, "Pod was rejected: " + no.Message));
        }

        if (DeadlinePassed(pass))
        {
            yield return (StopCause.DeadlineExceeded, StopRules.GraceOf(pod), new TerminalFact("Failed", "DeadlineExceeded", DeadlineMessage));
        }

        if (pass.Memory.Stage == Stage.Active && pass.Memory.Plan is null && PhaseRules.Compute(pass) is "Succeeded" or "Failed")
        {
            yield return (StopCause.Completed, StopRules.GraceOf(pod), new TerminalFact(PhaseRules.Compute(pass), null, null));
        }
    }

    private const string DeadlineMessage = "Pod was active on the node longer than the specified deadline";

    private static bool DeadlinePassed(DecisionPass pass)
    {
        if (pass.Pod.Spec?.ActiveDeadlineSeconds is not { } seconds || pass.Memory is not { Plan: null, StartTime: { } start })
        {
            return false;
        }

        var end = start + TimeSpan.FromSeconds(seconds);
        if (pass.Now < end)
        {
            pass.Wake(end);
            return false;
        }

        pass.Normal("DeadlineExceeded", DeadlineMessage);
        return true;
    }

    /// <summary>Begins the stop, or shortens it: a later request never gives more time. The first answer to how the pod ends stays.</summary>
    private static void Merge(DecisionPass pass, StopCause cause, TimeSpan grace, TerminalFact? terminal)
    {
        var memory = pass.Memory;
        if (memory.Plan is null)
        {
            pass.Memory = memory with { Plan = new StopPlan(cause, pass.Now, pass.Now + grace, grace), Terminal = memory.Terminal ?? terminal };
            Announce(pass, cause, terminal);
            return;
        }

        if (grace < memory.Plan.Grace)
        {
            var deadline = pass.Now + grace;
            pass.Memory = memory with
            {
                Plan = memory.Plan with { Grace = grace, Deadline = deadline < memory.Plan.Deadline ? deadline : memory.Plan.Deadline },
            };
        }
    }

    private static void Announce(DecisionPass pass, StopCause cause, TerminalFact? terminal)
    {
        if (terminal is { Reason: { } reason, Message: { } message } && cause is StopCause.Rejected or StopCause.Evicted)
        {
            pass.Warn(
                reason, cause == StopCause.Rejected ? message["Pod was rejected: ".Length..] : message,
                annotations: cause == StopCause.Evicted ? pass.View.Stop?.Annotations : null);
        }
    }

    private static TimeSpan DeletionGrace(V1Pod pod) =>
        pod.Metadata.DeletionGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(Math.Max(0, seconds)) : StopRules.GraceOf(pod);

    /// <summary>Nobody has the spec any more; what its containers were created with tells the longest grace of them.</summary>
    private static TimeSpan OrphanGrace(DecisionPass pass) =>
        pass.Runtime.Containers.Where(c => c.IsAlive).Select(c => c.Grace ?? StopRules.GraceOf(pass.Pod)).DefaultIfEmpty(TimeSpan.Zero).Max();

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
