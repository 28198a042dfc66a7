using k8s.Models;

namespace Podhost.Kubelet.Volumes;

/// <summary>The volumes that some container mounts, has as a device or reads variables from; the others are left alone.</summary>
internal static class UsedVolumes
{
    public static IEnumerable<V1Volume> Of(V1PodSpec spec)
    {
        var used = (spec.Containers ?? []).Concat(spec.InitContainers ?? []).SelectMany(c => Names(c.VolumeMounts, c.Env))
            .Concat((spec.EphemeralContainers ?? []).SelectMany(c => Names(c.VolumeMounts, c.Env)))
            .Concat(Devices(spec))
            .ToHashSet(StringComparer.Ordinal);
        return (spec.Volumes ?? []).Where(v => used.Contains(v.Name));
    }

    /// <summary>A container mounts the volume.</summary>
    public static bool IsMounted(V1PodSpec spec, string name) => (spec.Containers ?? []).Concat(spec.InitContainers ?? []).Select(c => c.VolumeMounts)
        .Concat((spec.EphemeralContainers ?? []).Select(c => c.VolumeMounts))
        .Any(mounts => mounts?.Any(m => m.Name == name) == true);

    /// <summary>A container has the volume as a block device.</summary>
    public static bool IsDevice(V1PodSpec spec, string name) => Devices(spec).Contains(name, StringComparer.Ordinal);

    private static IEnumerable<string> Devices(V1PodSpec spec) => (spec.Containers ?? []).Concat(spec.InitContainers ?? []).SelectMany(c => c.VolumeDevices ?? [])
        .Concat((spec.EphemeralContainers ?? []).SelectMany(c => c.VolumeDevices ?? []))
        .Select(d => d.Name);

    private static IEnumerable<string> Names(IList<V1VolumeMount>? mounts, IList<V1EnvVar>? env) =>
        (mounts ?? []).Select(m => m.Name)
            .Concat((env ?? []).Select(e => e.ValueFrom?.FileKeyRef?.VolumeName).OfType<string>());
}
