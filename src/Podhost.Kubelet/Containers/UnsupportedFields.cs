using k8s.Models;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Containers;

/// <summary>What the node's kernel and runtime can do, where it differs between machines.</summary>
public sealed record NodeFeatures
{
    /// <summary>The kernel enforces AppArmor profiles.</summary>
    public bool AppArmor { get; init; }

    /// <summary>The runtime maps users of pods (hostUsers: false).</summary>
    public bool UserNamespaces { get; init; }

    /// <summary>The runtime mounts images as volumes.</summary>
    public bool ImageVolumes { get; init; } = true;

    /// <summary>What this machine's kernel says of itself.</summary>
    public static NodeFeatures Detect()
    {
        const string enabled = "/sys/module/apparmor/parameters/enabled";
        return new NodeFeatures { AppArmor = File.Exists(enabled) && File.ReadAllText(enabled).StartsWith('Y') };
    }
}

/// <summary>A field that this node cannot honour.</summary>
/// <param name="Field">Path, for example <c>spec.volumes[0].csi</c>.</param>
/// <param name="Message">What is missing.</param>
public sealed record UnsupportedField(string Field, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field}: {Message}";
}

/// <summary>
/// Fields of a Pod that nobody here implements. A pod with one is refused at admission on the node: ignoring it would run something else
/// than was asked for.
/// </summary>
public static class UnsupportedFields
{
    /// <summary>All such fields of a pod.</summary>
    public static IReadOnlyList<UnsupportedField> Find(V1Pod pod) => Find(pod, new NodeFeatures());

    /// <summary>All such fields of a pod on a node with the given features.</summary>
    public static IReadOnlyList<UnsupportedField> Find(V1Pod pod, NodeFeatures node) =>
        [.. OfSpec(pod.Spec, node), .. OfVolumes(pod.Spec, node), .. OfContainers(pod.Spec, node)];

    private static IEnumerable<UnsupportedField> OfSpec(V1PodSpec spec, NodeFeatures node)
    {
        if (spec.HostUsers == false && !node.UserNamespaces)
        {
            yield return new("spec.hostUsers", "user namespaces are not supported by the runtime of this node");
        }

        if (spec.Os?.Name is { Length: > 0 } os and not "linux")
        {
            yield return new("spec.os.name", $"this node runs linux, not {os}");
        }

        if (spec.ResourceClaims is { Count: > 0 })
        {
            yield return new("spec.resourceClaims", "dynamic resource allocation is not supported by this node");
        }

        if (spec.Resources?.Claims is { Count: > 0 })
        {
            yield return new("spec.resources.claims", "dynamic resource allocation is not supported by this node");
        }

        if (spec.SchedulingGroup is not null)
        {
            yield return new("spec.schedulingGroup", "groups of pods are not scheduled together here");
        }

        if (spec.EvictionResponders is { Count: > 0 })
        {
            yield return new("spec.evictionResponders", "eviction responders are not supported");
        }

        foreach (var field in AppArmor("spec.securityContext", spec.SecurityContext?.AppArmorProfile, node))
        {
            yield return field;
        }
    }

    private static IEnumerable<UnsupportedField> OfVolumes(V1PodSpec spec, NodeFeatures node)
    {
        var index = 0;
        foreach (var volume in spec.Volumes ?? [])
        {
            foreach (var (field, message) in UnsupportedVolumes.Find(volume))
            {
                yield return new($"spec.volumes[{index}].{field}", message);
            }

            if (volume.Image is not null && !node.ImageVolumes)
            {
                yield return new($"spec.volumes[{index}].image", "image volumes are not supported by the runtime of this node");
            }

            index++;
        }
    }

    private static IEnumerable<UnsupportedField> OfContainers(V1PodSpec spec, NodeFeatures node)
    {
        var lists = new[]
        {
            ("spec.containers", (spec.Containers ?? []).Select(Parts.Of)),
            ("spec.initContainers", (spec.InitContainers ?? []).Select(Parts.Of)),
            ("spec.ephemeralContainers", (spec.EphemeralContainers ?? []).Select(Parts.Of)),
        };
        return lists.SelectMany(list => list.Item2.SelectMany((parts, index) => OfContainer($"{list.Item1}[{index}]", parts, node)));
    }

    private static IEnumerable<UnsupportedField> OfContainer(string path, Parts container, NodeFeatures node)
    {
        if (container.Devices is { Count: > 0 })
        {
            yield return new($"{path}.volumeDevices", "block devices are not supported by this node");
        }

        if (container.Resources?.Claims is { Count: > 0 })
        {
            yield return new($"{path}.resources.claims", "dynamic resource allocation is not supported by this node");
        }

        for (var i = 0; i < (container.Mounts?.Count ?? 0); i++)
        {
            if (container.Mounts![i].BindMountOptions is { Count: > 0 })
            {
                yield return new($"{path}.volumeMounts[{i}].bindMountOptions", "bind mount options are not supported by this node");
            }
        }

        foreach (var field in AppArmor($"{path}.securityContext", container.Context?.AppArmorProfile, node))
        {
            yield return field;
        }
    }

    /// <summary>Any profile but Unconfined needs a kernel that enforces it, as upstream admits pods.</summary>
    private static IEnumerable<UnsupportedField> AppArmor(string path, V1AppArmorProfile? profile, NodeFeatures node) =>
        profile is { Type: not "Unconfined" } && !node.AppArmor
            ? [new($"{path}.appArmorProfile", "Cannot enforce AppArmor: AppArmor is not enabled on the host")]
            : [];

    /// <summary>The fields that containers and ephemeral containers share.</summary>
    private sealed record Parts(V1SecurityContext? Context, V1ResourceRequirements? Resources, IList<V1VolumeMount>? Mounts, IList<V1VolumeDevice>? Devices)
    {
        public static Parts Of(V1Container c) => new(c.SecurityContext, c.Resources, c.VolumeMounts, c.VolumeDevices);

        public static Parts Of(V1EphemeralContainer c) => new(c.SecurityContext, c.Resources, c.VolumeMounts, c.VolumeDevices);
    }
}
