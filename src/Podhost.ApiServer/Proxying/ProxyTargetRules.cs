using System.Globalization;
using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Podhost.Api.Errors;

namespace Podhost.ApiServer.Proxying;

/// <summary>Where a proxied request goes: scheme and authority, decided from the objects alone.</summary>
/// <remarks>Rules: pkg/registry/core/pod and service/storage ResourceLocation, k8s.io/apiserver pkg/util/proxy.</remarks>
internal static class ProxyTargetRules
{
    /// <summary>A pod: its first address, the asked port or the first that a container declares.</summary>
    /// <exception cref="ApiException">400: the pod has no address that may be proxied to, or the port is none.</exception>
    public static Uri OfPod(V1Pod pod, ProxyName asked)
    {
        var address = Proxyable(pod.Status?.PodIPs?.FirstOrDefault()?.Ip ?? pod.Status?.PodIP);
        var port = asked.Port.Length > 0 ? Number(asked.Port) : pod.Spec.Containers.SelectMany(c => c.Ports ?? []).FirstOrDefault()?.ContainerPort;
        return Make(asked.SchemeOrHttp, address, port);
    }

    /// <summary>A service: one of the ready endpoints of the asked port.</summary>
    /// <param name="service">The service.</param>
    /// <param name="endpoints">Its Endpoints, or null where there are none.</param>
    /// <param name="asked">What the request names; the port may be the number or the name of a service port.</param>
    /// <param name="choose">Picks one of so many, as <see cref="Random.Next(int)"/>.</param>
    /// <exception cref="ApiException">503: the service has no such port, or nobody behind it.</exception>
    public static Uri OfService(V1Service service, V1Endpoints? endpoints, ProxyName asked, Func<int, int> choose)
    {
        var name = PortName(service, asked);
        var ready = (endpoints?.Subsets ?? [])
            .SelectMany(s => (s.Ports ?? []).Where(p => (p.Name ?? "") == name).SelectMany(p => (s.Addresses ?? []).Select(a => (a.Ip, p.Port)))).ToList();
        if (ready.Count == 0)
        {
            throw ApiException.Unavailable(endpoints is null
                ? $"no endpoints available for service \"{asked.Name}\""
                : $"no endpoints available for service \"{service.Metadata.Name}\"");
        }

        var (ip, port) = ready[choose(ready.Count)];
        return Make(asked.SchemeOrHttp, Proxyable(ip), port);
    }

    /// <summary>A port of a node that is not its kubelet's.</summary>
    /// <param name="kubelet">The kubelet's address.</param>
    /// <param name="asked">What the request names.</param>
    /// <returns>Null: the kubelet itself is meant, which wants the server's credentials.</returns>
    public static Uri? OfNode(Uri kubelet, ProxyName asked) =>
        asked.Port.Length == 0 || Number(asked.Port) == kubelet.Port ? null : Make(asked.SchemeOrHttp, Proxyable(kubelet.Host), Number(asked.Port));

    private static string PortName(V1Service service, ProxyName asked)
    {
        var ports = service.Spec.Ports ?? [];
        if (ushort.TryParse(asked.Port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return (ports.FirstOrDefault(p => p.Port == number)
                ?? throw ApiException.Unavailable($"no service port {number} found for service \"{service.Metadata.Name}\"")).Name ?? "";
        }

        // Where there is but one port it need not be named.
        return asked.Port.Length == 0 && ports.Count == 1 ? ports[0].Name ?? "" : asked.Port;
    }

    private static int Number(string port) =>
        ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw ApiException.BadRequest($"invalid port \"{port}\"");

    // Nobody reaches the server's own loopback or link through the proxy.
    private static IPAddress Proxyable(string? address)
    {
        if (!IPAddress.TryParse(address, out var ip))
        {
            throw ApiException.BadRequest("not a valid IP");
        }

        var first = ip.GetAddressBytes();
        var refused = IPAddress.IsLoopback(ip) || ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any) || ip.Equals(IPAddress.Broadcast) || ip.IsIPv6LinkLocal ||
            ip.IsIPv6Multicast || ip.IsIPv4MappedToIPv6 || (ip.AddressFamily == AddressFamily.InterNetwork && (first[0] is >= 224 and <= 239 || (first[0] == 169 && first[1] == 254)));
        return refused ? throw ApiException.BadRequest("address not allowed") : ip;
    }

    private static Uri Make(string scheme, IPAddress address, int? port) => new UriBuilder(scheme, address.ToString(), port ?? -1).Uri;
}
