using k8s.Models;
using Podhost.Api.Errors;

namespace Podhost.ApiServer.Streaming;

/// <summary>Where a node's kubelet listens. Source: upstream's preferred address types and daemonEndpoints.</summary>
internal static class KubeletEndpoint
{
    private const int DefaultPort = 10250;
    private static readonly string[] PreferredTypes = ["InternalIP", "Hostname", "InternalDNS", "ExternalDNS", "ExternalIP"];

    /// <exception cref="ApiException">The node has no address.</exception>
    public static Uri Of(V1Node node)
    {
        var addresses = node.Status?.Addresses ?? [];
        var address = PreferredTypes.Select(t => addresses.FirstOrDefault(a => a.Type == t)?.Address).FirstOrDefault(a => !string.IsNullOrEmpty(a))
            ?? throw ApiException.Internal($"no preferred addresses found; known addresses of node {node.Metadata.Name}: none");
        var port = node.Status?.DaemonEndpoints?.KubeletEndpoint?.Port is > 0 and var p ? p : DefaultPort;
        return new UriBuilder(Uri.UriSchemeHttps, address, port).Uri;
    }
}
