using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Host ports that another pod of the node has already; 0.0.0.0 collides with every address.</summary>
internal sealed class NodePortsFilter : INodeFilter
{
    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster) =>
        pod.HostPorts.Count > 0 && node.Pods.SelectMany(p => p.HostPorts).Any(used => pod.HostPorts.Any(wanted => Collide(wanted, used)))
            ? ["node(s) didn't have free ports for the requested pod ports"]
            : [];

    private static bool Collide((string Protocol, string HostIP, int Port) a, (string Protocol, string HostIP, int Port) b) =>
        a.Port == b.Port && a.Protocol == b.Protocol && (a.HostIP == b.HostIP || a.HostIP == "0.0.0.0" || b.HostIP == "0.0.0.0");
}
