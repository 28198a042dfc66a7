using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of Services and their endpoints.</summary>
internal static class ServiceDefaults
{
    private const long AffinitySeconds = 10800;

    public static void ApplyToService(JsonObject service)
    {
        var spec = Defaults.Ensure(service, "spec");
        Defaults.SetText(spec, "sessionAffinity", "None");
        Defaults.SetText(spec, "type", "ClusterIP");
        var type = Defaults.Text(spec, "type");
        if (Defaults.Text(spec, "sessionAffinity") == "ClientIP")
        {
            Defaults.Set(Defaults.Ensure(Defaults.Ensure(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", AffinitySeconds);
        }

        foreach (var port in Defaults.Items(spec, "ports"))
        {
            Defaults.SetText(port, "protocol", "TCP");
            if (port["targetPort"] is null && port["port"] is { } number)
            {
                port["targetPort"] = number.DeepClone();
            }
        }

        if (type is "NodePort" or "LoadBalancer")
        {
            Defaults.SetText(spec, "externalTrafficPolicy", "Cluster");
        }

        if (type == "LoadBalancer")
        {
            Defaults.Set(spec, "allocateLoadBalancerNodePorts", true);
        }

        if (type is "ClusterIP" or "NodePort" or "LoadBalancer")
        {
            Defaults.Set(spec, "internalTrafficPolicy", "Cluster");
        }

        Defaults.Ensure(Defaults.Ensure(service, "status"), "loadBalancer");
    }

    public static void ApplyToEndpoints(JsonObject endpoints)
    {
        foreach (var port in Defaults.Items(endpoints, "subsets").SelectMany(s => Defaults.Items(s, "ports")))
        {
            Defaults.SetText(port, "protocol", "TCP");
        }
    }

    public static void ApplyToEndpointSlice(JsonObject slice)
    {
        foreach (var port in Defaults.Items(slice, "ports"))
        {
            Defaults.Set(port, "name", "");
            Defaults.Set(port, "protocol", "TCP");
        }
    }
}
