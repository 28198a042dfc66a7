using System.Globalization;
using k8s.Models;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary>Variables of services: NAME_SERVICE_HOST, NAME_SERVICE_PORT[_PORTNAME] and the old container links NAME_PORT….</summary>
internal static class ServiceVariables
{
    /// <summary>The variables that a pod of a namespace sees: the API server's always, those of its own namespace's services where it wants them.</summary>
    /// <param name="services">Services of all namespaces.</param>
    /// <param name="ns">Namespace of the pod.</param>
    /// <param name="enableServiceLinks">spec.enableServiceLinks.</param>
    public static IReadOnlyDictionary<string, string> Of(IEnumerable<V1Service> services, string ns, bool enableServiceLinks)
    {
        var visible = new SortedDictionary<string, V1Service>(StringComparer.Ordinal);
        foreach (var service in services.Where(HasClusterIP))
        {
            if (IsApiServer(service))
            {
                visible.TryAdd(service.Metadata.Name, service);
            }
            else if (enableServiceLinks && service.Metadata.NamespaceProperty == ns)
            {
                visible[service.Metadata.Name] = service;
            }
        }

        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var service in visible.Values)
        {
            AddService(result, service);
        }

        return result;
    }

    private static bool IsApiServer(V1Service service) => service.Metadata is { NamespaceProperty: "default", Name: "kubernetes" };

    private static bool HasClusterIP(V1Service service) =>
        service.Spec is { ClusterIP: not (null or "" or "None") } && service.Spec.Ports is { Count: > 0 };

    private static void AddService(SortedDictionary<string, string> result, V1Service service)
    {
        var prefix = Name(service.Metadata.Name);
        var ip = service.Spec.ClusterIP;
        result[prefix + "_SERVICE_HOST"] = ip;
        result[prefix + "_SERVICE_PORT"] = Number(service.Spec.Ports[0].Port);
        foreach (var port in service.Spec.Ports)
        {
            if (!string.IsNullOrEmpty(port.Name))
            {
                result[prefix + "_SERVICE_PORT_" + Name(port.Name)] = Number(port.Port);
            }
        }

        result[prefix + "_PORT"] = Url(ip, service.Spec.Ports[0]);
        foreach (var port in service.Spec.Ports)
        {
            AddLink(result, prefix, ip, port);
        }
    }

    private static void AddLink(SortedDictionary<string, string> result, string prefix, string ip, V1ServicePort port)
    {
        var protocol = Protocol(port);
        var link = $"{prefix}_PORT_{Number(port.Port)}_{protocol}";
        result[link] = Url(ip, port);
        result[link + "_PROTO"] = protocol.ToLowerInvariant();
        result[link + "_PORT"] = Number(port.Port);
        result[link + "_ADDR"] = ip;
    }

    private static string Url(string ip, V1ServicePort port) =>
        $"{Protocol(port).ToLowerInvariant()}://{(ip.Contains(':', StringComparison.Ordinal) ? $"[{ip}]" : ip)}:{Number(port.Port)}";

    private static string Protocol(V1ServicePort port) => string.IsNullOrEmpty(port.Protocol) ? "TCP" : port.Protocol.ToUpperInvariant();

    private static string Name(string name) => name.Replace('-', '_').ToUpperInvariant();

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
