using k8s.Models;

namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>The hostname of a pod and its domain, for /etc/hosts, the UTS namespace and HOSTNAME.</summary>
/// <param name="Hostname">At most 63 characters.</param>
/// <param name="Domain"><c>subdomain.namespace.svc.clusterDomain</c>, or empty.</param>
internal sealed record PodHostname(string Hostname, string Domain)
{
    private const int MaxHostname = 63;
    private const int MaxKernelHostname = 64;

    /// <summary>From hostnameOverride, hostname and subdomain, or the pod's name.</summary>
    /// <exception cref="ContainerConfigException">A name is not a DNS name.</exception>
    public static PodHostname Of(V1Pod pod, string clusterDomain)
    {
        var spec = pod.Spec;
        if (spec.HostnameOverride is { } over)
        {
            return DnsLabels.IsSubdomain(over)
                ? new PodHostname(Truncate(pod, over), "")
                : throw Fail($"pod HostnameOverride \"{over}\" is not a valid DNS subdomain");
        }

        var hostname = pod.Metadata.Name;
        if (!string.IsNullOrEmpty(spec.Hostname))
        {
            hostname = DnsLabels.IsLabel(spec.Hostname) ? spec.Hostname : throw Fail($"pod Hostname \"{spec.Hostname}\" is not a valid DNS label");
        }

        hostname = Truncate(pod, hostname);
        if (string.IsNullOrEmpty(spec.Subdomain))
        {
            return new PodHostname(hostname, "");
        }

        return DnsLabels.IsLabel(spec.Subdomain)
            ? new PodHostname(hostname, $"{spec.Subdomain}.{pod.Metadata.NamespaceProperty}.svc.{clusterDomain}")
            : throw Fail($"pod Subdomain \"{spec.Subdomain}\" is not a valid DNS label");
    }

    /// <summary>What the kernel is told: the name, or with setHostnameAsFQDN the name and its domain.</summary>
    /// <exception cref="ContainerConfigException">The kernel takes 64 characters.</exception>
    public string ForKernel(bool? asFqdn)
    {
        if (asFqdn != true || Domain.Length == 0)
        {
            return Hostname;
        }

        var fqdn = $"{Hostname}.{Domain}";
        return fqdn.Length <= MaxKernelHostname
            ? fqdn
            : throw Fail($"failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long ({MaxKernelHostname} characters is the max, {fqdn.Length} characters requested)");
    }

    private static string Truncate(V1Pod pod, string hostname)
    {
        if (hostname.Length <= MaxHostname)
        {
            return hostname;
        }

        var cut = hostname[..MaxHostname].TrimEnd('-', '.');
        return cut.Length > 0 ? cut : throw Fail($"hostname for pod \"{pod.Metadata.Name}\" was invalid: \"{hostname}\"");
    }

    private static ContainerConfigException Fail(string message) => new(ContainerConfigReasons.CreatePodSandboxError, message);
}
