using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>A pod as the scheduler sees it: its spec, and what is computed once from it. Immutable.</summary>
internal sealed class PodView
{
    // What a container without a request counts as in scores, so that pods without requests spread as well: upstream's non-zero defaults.
    private const decimal DefaultCpu = 0.1m;
    private const decimal DefaultMemory = 200m * 1024 * 1024;

    public PodView(V1Pod pod, SharedValues? shared = null)
    {
        Pod = pod;
        Traits = new PodTraits(pod);
        Terms = PodTermSet.Of(pod, Traits);
        if (shared is not null)
        {
            (Traits, Terms) = (shared.Traits.Share(Traits), shared.Terms.Share(Terms));
        }

        Requests = PodResources.RequestsInForce(pod);
        Wanted = [.. Requests.Where(r => r.Value > 0)];
        Asked = CpuAndMemory.Of(Requests);
        Scored = CpuAndMemory.Of(
            Math.Max(Requests.Get(ResourceNames.Cpu), ScoredAs(pod.Spec, ResourceNames.Cpu, DefaultCpu)),
            Math.Max(Requests.Get(ResourceNames.Memory), ScoredAs(pod.Spec, ResourceNames.Memory, DefaultMemory)));
        HostPorts = [.. PortsOf(pod.Spec)];
    }

    public V1Pod Pod { get; }

    public string Uid => Pod.Metadata.Uid;

    public string Namespace => Pod.Metadata.NamespaceProperty;

    public string Key => $"{Pod.Metadata.NamespaceProperty}/{Pod.Metadata.Name}";

    public V1PodSpec Spec => Pod.Spec;

    public int Priority => Pod.Spec.Priority ?? 0;

    public IDictionary<string, string> Labels => Traits.Labels;

    public bool IsTerminating => Traits.IsTerminating;

    public bool IsFinished => PodStates.IsFinished(Pod);

    /// <summary>Effective requests, those of a resize under way included (units: cores, bytes, pieces).</summary>
    public IReadOnlyDictionary<string, decimal> Requests { get; }

    /// <summary>The requests that are more than nothing.</summary>
    public KeyValuePair<string, decimal>[] Wanted { get; }

    /// <summary>The cpu and memory that it asks for.</summary>
    public CpuAndMemory Asked { get; }

    /// <summary>What it counts as where nodes are compared: a container that asks for nothing counts as something.</summary>
    public CpuAndMemory Scored { get; }

    /// <summary>Host ports as (protocol, host IP, port); an unset IP is 0.0.0.0.</summary>
    public IReadOnlyList<(string Protocol, string HostIP, int Port)> HostPorts { get; }

    /// <summary>What the selectors of other pods see.</summary>
    public PodTraits Traits { get; }

    /// <summary>What it asks of its distance to other pods.</summary>
    public PodTermSet Terms { get; }

    private static decimal ScoredAs(V1PodSpec spec, string resource, decimal whenUnset) =>
        (spec.Containers ?? []).Sum(c => (c.Resources?.Requests).Get(resource) is > 0 and var r ? r : whenUnset);

    private static IEnumerable<(string, string, int)> PortsOf(V1PodSpec spec)
    {
        var sidecars = (spec.InitContainers ?? []).Where(PodResources.IsSidecar);
        foreach (var port in (spec.Containers ?? []).Concat(sidecars).SelectMany(c => c.Ports ?? []))
        {
            if (port.HostPort is > 0 and var host)
            {
                yield return (port.Protocol ?? "TCP", string.IsNullOrEmpty(port.HostIP) ? "0.0.0.0" : port.HostIP, host);
            }
        }
    }
}
