using System.Collections.Immutable;
using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>The pod's status, from the same view as the effects.</summary>
internal static class StatusRules
{
    public static V1PodStatus Build(DecisionPass pass)
    {
        var old = pass.Memory.Status;
        var status = new V1PodStatus
        {
            ObservedGeneration = pass.Pod.Metadata?.Generation,
            Phase = Phase(pass),
            StartTime = pass.Memory.StartTime is { } start ? Seconds(start) : null,
            QosClass = Podhost.Api.Pods.QosRules.Of(pass.Pod).ToString(),
            HostIP = pass.View.Settings.HostIPs.FirstOrDefault(),
            HostIPs = [.. pass.View.Settings.HostIPs.Select(ip => new V1HostIP { Ip = ip })],
            NominatedNodeName = pass.Pod.Status?.NominatedNodeName,
            Resources = ResizeRules.WholeOf(pass),
            AllocatedResources = Allocated(pass.Pod),
        };
        if (pass.Memory.Terminal is { } terminal && status.Phase == terminal.Phase)
        {
            status.Reason = terminal.Reason;
            status.Message = terminal.Message;
        }

        var ips = PodIPs(pass);
        if (ips.Length > 0)
        {
            status.PodIP = ips[0];
            status.PodIPs = [.. ips.Select(ip => new V1PodIP { Ip = ip })];
        }

        ContainerStatusRules.Fill(pass, status);
        status.Conditions = ConditionRules.Build(pass, status, old);
        return status;
    }

    /// <summary>The pod's addresses: the live sandbox's, the node's with its network, or those it had last.</summary>
    public static ImmutableArray<string> PodIPs(DecisionPass pass)
    {
        if (pass.View.Runtime is not null && SandboxRules.Newest(pass) is { } sandbox)
        {
            if (pass.Pod.Spec?.HostNetwork == true)
            {
                return pass.View.Settings.HostIPs;
            }

            if (sandbox.IPs.Length > 0)
            {
                return PodAddresses.Order(sandbox.IPs, pass.View.Settings.HostIPs);
            }
        }

        return pass.Memory.Status?.PodIPs is { } had ? [.. had.Select(p => p.Ip)] : [];
    }

    /// <summary>Times of a status have whole seconds (metav1.Time).</summary>
    public static DateTime Seconds(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);

    /// <summary>As messages name a pod: <c>name_namespace(uid)</c>.</summary>
    public static string Id(V1Pod pod) => $"{pod.Metadata?.Name}_{pod.Metadata?.NamespaceProperty}({pod.Metadata?.Uid})";

    /// <summary>The requests that the node gave: those of the pod as a whole, else the sums of its containers'; null for none.</summary>
    private static IDictionary<string, ResourceQuantity>? Allocated(V1Pod pod)
    {
        if (pod.Spec?.Resources is { } whole)
        {
            return whole.Requests;
        }

        var sums = pod.Spec is null ? null : Podhost.Api.Pods.PodResources.RequestsOfContainers(pod.Spec);
        return sums is { Count: > 0 } ? sums : null;
    }

    private static string Phase(DecisionPass pass)
    {
        var old = pass.Memory.Status?.Phase;

        // A start that is under way may still become a process, as StageRules sees it.
        var alive = pass.View.Runtime is null or { AnyAlive: true } || pass.InFlight<StartContainer>();
        if (pass.Memory.Terminal is { } terminal && (pass.Memory.Stage >= Stage.Cleaning || !alive || pass.Pod.Status?.Phase == terminal.Phase))
        {
            return terminal.Phase;
        }

        // Nothing may show a terminal phase while a process lives: what the pod had last stays until then.
        if (pass.Memory.Stage >= Stage.Stopping || pass.View.Runtime is null)
        {
            return old is null or "Unknown" ? "Pending" : old is "Succeeded" or "Failed" ? "Running" : old;
        }

        var phase = PhaseRules.Compute(pass);
        return phase is "Succeeded" or "Failed" && alive ? "Running" : phase;
    }
}
