using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers.Environment;
using Podhost.Kubelet.Containers.Security;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Containers;

/// <summary>CRI's configuration of a container, without its mounts. Pure.</summary>
internal static class ContainerConfigBuilder
{
    /// <summary>Builds it.</summary>
    /// <exception cref="ContainerConfigException">The spec breaks a rule.</exception>
    public static ContainerConfig Build(
        ContainerConfigRequest request, ContainerEnvironment environment, string hostname, NodeResources node, ContainerConfigOptions options, UserRange? users = null)
    {
        var (pod, container) = (request.Pod, request.Container);
        var context = EffectiveSecurityContext.Of(pod, container);
        EffectiveSecurityContext.VerifyNonRoot(context, request.Image.Uid?.Value, request.Image.Username, pod, container);

        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = container.Name, Attempt = request.Attempt },
            Image = new ImageSpec { Image = request.ImageRef, UserSpecifiedImage = container.Image },
            WorkingDir = container.WorkingDir ?? "",
            LogPath = PodNames.LogPath(container.Name, request.Attempt),
            Stdin = container.Stdin == true,
            StdinOnce = container.StdinOnce == true,
            Tty = container.Tty == true,
            StopSignal = StopSignals.Of(container.Lifecycle?.StopSignal),
            Linux = new LinuxContainerConfig
            {
                Resources = CriResources.Of(ContainerCgroupValues.Of(pod, container, node, options.Resources), options.Resources),
                SecurityContext = CriSecurityContext.OfContainer(pod, context, request.Image, request.TargetContainerId, users, options),
            },
        };
        config.Command.AddRange(VariableExpansion.ExpandAll(container.Command, environment.Lookup));
        config.Args.AddRange(VariableExpansion.ExpandAll(container.Args, environment.Lookup));
        config.Envs.AddRange(Variables(environment, hostname));
        config.Labels.Add(CriLabels.ContainerLabels(pod, container));
        config.Annotations.Add(CriLabels.ContainerAnnotations(pod, container, request.Kind, request.Attempt));
        return config;
    }

    /// <summary>HOSTNAME comes from the runtime with most runtimes; said here it is there with all. It takes no part in expansion.</summary>
    private static IEnumerable<KeyValue> Variables(ContainerEnvironment environment, string hostname)
    {
        if (!environment.ByName.ContainsKey("HOSTNAME"))
        {
            yield return new KeyValue { Key = "HOSTNAME", Value = hostname };
        }

        foreach (var (name, value) in environment.Variables)
        {
            yield return new KeyValue { Key = name, Value = value };
        }
    }
}
