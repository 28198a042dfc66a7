using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers.Security;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>CRI's sandbox configuration of a pod. Pure.</summary>
internal static class SandboxConfigBuilder
{
    /// <summary>Builds it.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="attempt">0 for the first sandbox.</param>
    /// <param name="resolvConf">The node's resolver configuration; null where lookups are switched off.</param>
    /// <param name="options">The node's options.</param>
    /// <param name="users">The users of a pod with hostUsers false; null for the machine's own.</param>
    /// <exception cref="ContainerConfigException">The spec breaks a rule of the node.</exception>
    public static (PodSandboxConfig Config, IReadOnlyList<(string Reason, string Message)> Warnings) Build(
        V1Pod pod, uint attempt, ResolvConf? resolvConf, ContainerConfigOptions options, UserRange? users = null)
    {
        if (SysctlRules.Check(pod, options.AllowedUnsafeSysctls) is { } forbidden)
        {
            throw new ContainerConfigException(ContainerConfigReasons.SysctlForbidden, forbidden);
        }

        var dns = DnsRules.Of(pod, resolvConf, options);
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata
            {
                Name = pod.Metadata.Name,
                Namespace = pod.Metadata.NamespaceProperty,
                Uid = pod.Metadata.Uid,
                Attempt = attempt,
            },
            Hostname = pod.Spec.HostNetwork == true ? "" : PodHostname.Of(pod, options.ClusterDomain).ForKernel(pod.Spec.SetHostnameAsFQDN),
            LogDirectory = PodNames.LogDirectory(options.PodLogsDirectory, pod),
            DnsConfig = dns.Config,
            Linux = Linux(pod, options, users),
        };
        config.PortMappings.AddRange(PortMappings.Of(pod.Spec));
        config.Labels.Add(CriLabels.SandboxLabels(pod));
        config.Annotations.Add(pod.Metadata.Annotations ?? new Dictionary<string, string>());
        return (config, dns.Warnings);
    }

    private static LinuxPodSandboxConfig Linux(V1Pod pod, ContainerConfigOptions options, UserRange? users)
    {
        var linux = new LinuxPodSandboxConfig
        {
            CgroupParent = PodCgroupPath.OfPod(options.Resources, pod),
            SecurityContext = CriSecurityContext.OfSandbox(pod, users),
            Resources = CriResources.Pod(pod, options.Resources),
            Overhead = CriResources.Overhead(pod, options.Resources),
        };
        foreach (var sysctl in pod.Spec.SecurityContext?.Sysctls ?? [])
        {
            linux.Sysctls[SysctlRules.Normalize(sysctl.Name)] = sysctl.Value;
        }

        return linux;
    }
}
