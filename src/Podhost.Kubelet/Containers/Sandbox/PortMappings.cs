using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>Host ports of a pod: of its containers and sidecars. On the host network there is nothing to map.</summary>
internal static class PortMappings
{
    public static IEnumerable<PortMapping> Of(V1PodSpec spec) =>
        spec.HostNetwork == true
            ? []
            : spec.Containers.Concat((spec.InitContainers ?? []).Where(PodResources.IsSidecar))
                .SelectMany(container => container.Ports ?? [])
                .Select(port => new PortMapping
                {
                    ContainerPort = port.ContainerPort,
                    HostPort = port.HostPort ?? 0,
                    HostIp = port.HostIP ?? "",
                    Protocol = port.Protocol switch { "UDP" => Protocol.Udp, "SCTP" => Protocol.Sctp, _ => Protocol.Tcp },
                });
}
