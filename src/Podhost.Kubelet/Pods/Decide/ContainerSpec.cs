using System.Globalization;
using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>One container of a pod's spec with the list that it comes from.</summary>
/// <param name="Container">The spec; an ephemeral container in the shape of an ordinary one.</param>
/// <param name="Kind">The list.</param>
/// <param name="Target">For an ephemeral container, targetContainerName.</param>
internal sealed record ContainerSpec(V1Container Container, ContainerKind Kind, string? Target = null)
{
    public string Name => Container.Name;

    /// <summary>True for an init container with restartPolicy Always.</summary>
    public bool IsSidecar => Kind == ContainerKind.Init && Container.RestartPolicy == "Always";

    /// <summary>As events name the container.</summary>
    public string FieldPath => Kind switch
    {
        ContainerKind.Init => $"spec.initContainers{{{Name}}}",
        ContainerKind.Ephemeral => $"spec.ephemeralContainers{{{Name}}}",
        _ => $"spec.containers{{{Name}}}",
    };

    /// <summary>All containers of a pod: inits, mains, ephemerals, each in order.</summary>
    public static IReadOnlyList<ContainerSpec> Of(V1Pod pod)
    {
        var all = new List<ContainerSpec>();
        foreach (var c in pod.Spec?.InitContainers ?? [])
        {
            all.Add(new ContainerSpec(c, ContainerKind.Init));
        }

        foreach (var c in pod.Spec?.Containers ?? [])
        {
            all.Add(new ContainerSpec(c, ContainerKind.Main));
        }

        foreach (var c in pod.Spec?.EphemeralContainers ?? [])
        {
            all.Add(new ContainerSpec(Plain(c), ContainerKind.Ephemeral, c.TargetContainerName));
        }

        return all;
    }

    /// <summary>The hash whose change restarts a running container, as the annotation io.kubernetes.container.hash has it.</summary>
    public static string HashOf(V1Container container) => ContainerHash.Of(container).ToString("x", CultureInfo.InvariantCulture);

    private static V1Container Plain(V1EphemeralContainer c) => new()
    {
        Name = c.Name,
        Image = c.Image,
        ImagePullPolicy = c.ImagePullPolicy,
        Command = c.Command,
        Args = c.Args,
        WorkingDir = c.WorkingDir,
        Env = c.Env,
        EnvFrom = c.EnvFrom,
        Resources = c.Resources,
        SecurityContext = c.SecurityContext,
        Stdin = c.Stdin,
        StdinOnce = c.StdinOnce,
        Tty = c.Tty,
        VolumeMounts = c.VolumeMounts,
        VolumeDevices = c.VolumeDevices,
        TerminationMessagePath = c.TerminationMessagePath,
        TerminationMessagePolicy = c.TerminationMessagePolicy,
    };
}
