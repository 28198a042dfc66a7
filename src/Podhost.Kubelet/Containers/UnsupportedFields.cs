using k8s.Models;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Containers;

/// <summary>What the node's kernel and runtime can do, where it differs between machines.</summary>
public sealed record NodeFeatures
{
    /// <summary>The kernel enforces AppArmor profiles.</summary>
    public bool AppArmor { get; init; }

    /// <summary>The runtime mounts images as volumes.</summary>
    public bool ImageVolumes { get; init; } = true;

    /// <summary>The kernel enforces SELinux labels, which the runtime does not set.</summary>
    public bool SeLinux { get; init; }

    /// <summary>What this machine's kernel says of itself.</summary>
    public static NodeFeatures Detect()
    {
        const string enabled = "/sys/module/apparmor/parameters/enabled";
        return new NodeFeatures
        {
            AppArmor = File.Exists(enabled) && File.ReadAllText(enabled).StartsWith('Y'),
            SeLinux = File.Exists("/sys/fs/selinux/enforce"),
        };
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

        if (spec.SecurityContext is { } context)
        {
            var options = new Labels(context.AppArmorProfile, context.SeLinuxOptions, context.WindowsOptions);
            foreach (var field in OfSecurity("spec.securityContext", options, node))
            {
                yield return field;
            }
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

        if (container.Context is { } context)
        {
            var options = new Labels(context.AppArmorProfile, context.SeLinuxOptions, context.WindowsOptions);
            foreach (var field in OfSecurity($"{path}.securityContext", options, node))
            {
                yield return field;
            }
        }

        foreach (var (name, probe) in container.Probes)
        {
            if (probe?.Grpc?.Mode is { } mode and not "Plaintext")
            {
                yield return new($"{path}.{name}.grpc.mode", $"probes of gRPC services in mode {mode} are not supported by this node");
            }
        }

        foreach (var (name, request) in container.Requests)
        {
            if (request?.Protocol is not null)
            {
                yield return new($"{path}.{name}.httpGet.protocol", "a protocol of HTTP requests cannot be chosen on this node");
            }
        }
    }

    private static IEnumerable<UnsupportedField> OfSecurity(string path, Labels labels, NodeFeatures node)
    {
        foreach (var field in AppArmor(path, labels.AppArmor, node))
        {
            yield return field;
        }

        // Where the kernel has no SELinux the label means nothing, as upstream.
        if (labels.SeLinux is not null && node.SeLinux)
        {
            yield return new($"{path}.seLinuxOptions", "SELinux labels are not set by the runtime of this node");
        }

        if (labels.Windows is not null)
        {
            yield return new($"{path}.windowsOptions", "this node runs linux, not windows");
        }
    }

    /// <summary>Any profile but Unconfined needs a kernel that enforces it, as upstream admits pods.</summary>
    private static IEnumerable<UnsupportedField> AppArmor(string path, V1AppArmorProfile? profile, NodeFeatures node) =>
        profile is { Type: not "Unconfined" } && !node.AppArmor
            ? [new($"{path}.appArmorProfile", "Cannot enforce AppArmor: AppArmor is not enabled on the host")]
            : [];

    private sealed record Labels(V1AppArmorProfile? AppArmor, V1SELinuxOptions? SeLinux, V1WindowsSecurityContextOptions? Windows);

    /// <summary>The fields that containers and ephemeral containers share.</summary>
    private sealed record Parts(
        V1SecurityContext? Context,
        V1ResourceRequirements? Resources,
        IList<V1VolumeMount>? Mounts,
        (string Name, V1Probe? Probe)[] Probes,
        V1Lifecycle? Lifecycle)
    {
        /// <summary>All HTTP requests that the node would make.</summary>
        public IEnumerable<(string Name, V1HTTPGetAction? Request)> Requests =>
        [
            .. Probes.Select(p => (p.Name, p.Probe?.HttpGet)),
            ("lifecycle.postStart", Lifecycle?.PostStart?.HttpGet),
            ("lifecycle.preStop", Lifecycle?.PreStop?.HttpGet),
        ];

        public static Parts Of(V1Container c) => new(
            c.SecurityContext, c.Resources, c.VolumeMounts, Named(c.LivenessProbe, c.ReadinessProbe, c.StartupProbe), c.Lifecycle);

        public static Parts Of(V1EphemeralContainer c) => new(
            c.SecurityContext, c.Resources, c.VolumeMounts, Named(c.LivenessProbe, c.ReadinessProbe, c.StartupProbe), c.Lifecycle);

        private static (string Name, V1Probe? Probe)[] Named(V1Probe? liveness, V1Probe? readiness, V1Probe? startup) =>
            [("livenessProbe", liveness), ("readinessProbe", readiness), ("startupProbe", startup)];
    }
}
