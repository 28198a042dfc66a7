using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Host ports that another pod of the node has already; 0.0.0.0 collides with every address.</summary>
internal sealed class NodePortsFilter : INodeFilter
{
    private static readonly Rejection Taken = Rejection.ByPods("node(s) didn't have free ports for the requested pod ports");

    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.PodGone;

    public Rejection? Reject(PodCycle cycle, NodeView node)
    {
        var wanted = cycle.Pod.HostPorts;
        return wanted.Count > 0 && node.WithPorts.Any(p => p.HostPorts.Any(used => wanted.Any(port => Collide(port, used)))) ? Taken : null;
    }

    private static bool Collide((string Protocol, string HostIP, int Port) a, (string Protocol, string HostIP, int Port) b) =>
        a.Port == b.Port && a.Protocol == b.Protocol && (a.HostIP == b.HostIP || a.HostIP == "0.0.0.0" || b.HostIP == "0.0.0.0");
}
