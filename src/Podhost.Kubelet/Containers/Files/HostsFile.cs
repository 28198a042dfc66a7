using System.Text;
using k8s.Models;
using Podhost.Kubelet.Containers.Sandbox;

namespace Podhost.Kubelet.Containers.Files;

/// <summary>The content of a pod's /etc/hosts.</summary>
internal static class HostsFile
{
    /// <summary>Where it is mounted.</summary>
    public const string MountPath = "/etc/hosts";

    /// <summary>For a pod with its own network.</summary>
    public static string Managed(IReadOnlyList<string> podIPs, PodHostname hostname, IList<V1HostAlias>? aliases)
    {
        var names = hostname.Domain.Length > 0 ? $"{hostname.Hostname}.{hostname.Domain}\t{hostname.Hostname}" : hostname.Hostname;
        var text = new StringBuilder("# Kubernetes-managed hosts file.\n")
            .Append("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n")
            .Append("fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
        foreach (var ip in podIPs)
        {
            text.Append(ip).Append('\t').Append(names).Append('\n');
        }

        return text.Append(Aliases(aliases)).ToString();
    }

    /// <summary>For a pod on the host network: the node's file and the aliases.</summary>
    public static string OfNode(string nodeHosts, IList<V1HostAlias>? aliases) =>
        "# Kubernetes-managed hosts file (host network).\n" + nodeHosts + Aliases(aliases);

    private static string Aliases(IList<V1HostAlias>? aliases) => aliases is not { Count: > 0 }
        ? ""
        : "\n# Entries added by HostAliases.\n" + string.Concat(aliases.Select(a => $"{a.Ip}\t{string.Join('\t', a.Hostnames ?? [])}\n"));
}
