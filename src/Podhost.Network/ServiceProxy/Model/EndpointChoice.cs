namespace Podhost.Network.ServiceProxy.Model;

/// <summary>Which endpoints of a port get traffic. Pure. Source: upstream's pkg/proxy/topology.go, without topology hints.</summary>
/// <param name="Cluster">Those for traffic that may leave the node; empty where no such traffic exists.</param>
/// <param name="Local">Those of this node for traffic that must stay; empty where no such traffic exists.</param>
/// <param name="HasAny">There is one somewhere: traffic without a local one is dropped, for another node may have it; without any it is rejected.</param>
internal sealed record EndpointChoice(IReadOnlyList<ServiceEndpoint> Cluster, IReadOnlyList<ServiceEndpoint> Local, bool HasAny)
{
    public static EndpointChoice Of(ServicePort port, IReadOnlyList<ServiceEndpoint> endpoints)
    {
        var all = Usable(endpoints);
        // Pods and the node itself reach an external address with policy Local by any endpoint.
        IReadOnlyList<ServiceEndpoint> cluster = port.IsInternalLocal && !port.IsExternal ? [] : all;
        IReadOnlyList<ServiceEndpoint> local = port.IsInternalLocal || (port.IsExternalLocal && port.IsExternal) ? Usable([.. endpoints.Where(e => e.IsLocal)]) : [];
        return new EndpointChoice(cluster, local, all.Count > 0 || local.Count > 0);
    }

    // Ready ones; where there are none, those that still serve while they terminate.
    private static List<ServiceEndpoint> Usable(IReadOnlyList<ServiceEndpoint> endpoints)
    {
        var ready = endpoints.Where(e => e.IsReady).ToList();
        return ready.Count > 0 ? ready : [.. endpoints.Where(e => e.IsServing && e.IsTerminating)];
    }
}
