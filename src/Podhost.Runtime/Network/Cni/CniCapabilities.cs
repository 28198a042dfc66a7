using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Network.Cni;

/// <summary>What a pod wants of its network, as the capabilities of CNI's conventions. Pure.</summary>
internal static class CniCapabilities
{
    private const string Ingress = "kubernetes.io/ingress-bandwidth";
    private const string Egress = "kubernetes.io/egress-bandwidth";
    private const string PortMappings = "portMappings";
    private const string Bandwidth = "bandwidth";

    // Of one second's amount, as containerd and CRI-O give; burst is in bits too.
    private const long MaxBurst = int.MaxValue;

    /// <summary>The runtimeConfig of all capabilities; each plugin gets those that it declares.</summary>
    /// <param name="network">The network.</param>
    /// <param name="config">The pod.</param>
    /// <param name="podCidrs">The node's ranges, for plugins that let the runtime choose them: one set of ranges for each family.</param>
    /// <exception cref="RpcException">The pod wants what no plugin of the network offers, or a bandwidth is no quantity.</exception>
    internal static JsonObject Of(CniConfiguration network, PodSandboxConfig config, IReadOnlyList<IPNetwork> podCidrs)
    {
        var ports = Ports(config.PortMappings);
        var bandwidth = Shaping(config.Annotations);
        Require(ports.Count == 0, network, PortMappings, "hostPort");
        Require(bandwidth is null, network, Bandwidth, $"{Ingress}, {Egress}");
        var all = new JsonObject
        {
            ["ipRanges"] = new JsonArray([.. podCidrs.Select(range => new JsonArray(new JsonObject { ["subnet"] = range.ToString() }))]),
        };
        if (ports.Count > 0)
        {
            all[PortMappings] = ports;
        }

        if (bandwidth is not null)
        {
            all[Bandwidth] = bandwidth;
        }

        if (config.DnsConfig is { } dns)
        {
            all["dns"] = new JsonObject { ["servers"] = Texts(dns.Servers), ["searches"] = Texts(dns.Searches), ["options"] = Texts(dns.Options) };
        }

        return all;
    }

    private static JsonArray Ports(IEnumerable<PortMapping> mappings) => new([.. mappings.Where(mapping => mapping.HostPort > 0).Select(mapping => new JsonObject
    {
        ["hostPort"] = mapping.HostPort,
        ["containerPort"] = mapping.ContainerPort,
        ["protocol"] = mapping.Protocol.ToString().ToLowerInvariant(),
        ["hostIP"] = mapping.HostIp,
    })]);

    private static JsonObject? Shaping(IDictionary<string, string> annotations)
    {
        var shaping = new JsonObject();
        foreach (var (annotation, direction) in new[] { (Ingress, "ingress"), (Egress, "egress") })
        {
            if (annotations.TryGetValue(annotation, out var text))
            {
                shaping[direction + "Rate"] = BitsPerSecond(annotation, text);
                shaping[direction + "Burst"] = MaxBurst;
            }
        }

        return shaping.Count == 0 ? null : shaping;
    }

    // Kubernetes' quantities of whole bits: 10M, 512k, 1Gi.
    private static long BitsPerSecond(string annotation, string text)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        long? factor = text[digits..] switch
        {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "Ki" => 1L << 10,
            "Mi" => 1L << 20,
            "Gi" => 1L << 30,
            "Ti" => 1L << 40,
            _ => null,
        };
        const long least = 1_000;
        const long most = 1_000_000_000_000_000;
        return factor is { } scale && long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            && amount <= most / scale && amount * scale >= least
            ? amount * scale
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"{annotation}: Invalid value: \"{text}\": must be between 1k and 1P bits per second"));
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private static void Require(bool absent, CniConfiguration network, string capability, string field)
    {
        if (!absent && !network.HasCapability(capability))
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"{field}: no plugin of CNI network \"{network.Name}\" has the capability {capability}"));
        }
    }
}
