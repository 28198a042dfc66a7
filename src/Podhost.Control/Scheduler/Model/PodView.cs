using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>A pod as the scheduler sees it: its spec, and what is computed once from it. Immutable.</summary>
internal sealed class PodView
{
    public PodView(V1Pod pod)
    {
        Pod = pod;
        Requests = PodResources.Requests(pod);
        HostPorts = [.. PortsOf(pod.Spec)];
    }

    public V1Pod Pod { get; }

    public string Uid => Pod.Metadata.Uid;

    public string Namespace => Pod.Metadata.NamespaceProperty;

    public string Key => $"{Pod.Metadata.NamespaceProperty}/{Pod.Metadata.Name}";

    public V1PodSpec Spec => Pod.Spec;

    public int Priority => Pod.Spec.Priority ?? 0;

    public IDictionary<string, string> Labels => Pod.Metadata.Labels ?? new Dictionary<string, string>();

    public bool IsTerminating => Pod.Metadata.DeletionTimestamp is not null;

    public bool IsFinished => Pod.Status?.Phase is "Succeeded" or "Failed";

    /// <summary>Effective requests (units: cores, bytes, pieces).</summary>
    public IReadOnlyDictionary<string, decimal> Requests { get; }

    /// <summary>Host ports as (protocol, host IP, port); an unset IP is 0.0.0.0.</summary>
    public IReadOnlyList<(string Protocol, string HostIP, int Port)> HostPorts { get; }

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
