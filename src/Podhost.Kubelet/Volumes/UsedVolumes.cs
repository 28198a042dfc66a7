using k8s.Models;

namespace Podhost.Kubelet.Volumes;

/// <summary>The volumes that some container mounts or reads variables from; the others are left alone.</summary>
internal static class UsedVolumes
{
    public static IEnumerable<V1Volume> Of(V1PodSpec spec)
    {
        var used = (spec.Containers ?? []).Concat(spec.InitContainers ?? []).SelectMany(c => Names(c.VolumeMounts, c.Env))
            .Concat((spec.EphemeralContainers ?? []).SelectMany(c => Names(c.VolumeMounts, c.Env)))
            .ToHashSet(StringComparer.Ordinal);
        return (spec.Volumes ?? []).Where(v => used.Contains(v.Name));
    }

    private static IEnumerable<string> Names(IList<V1VolumeMount>? mounts, IList<V1EnvVar>? env) =>
        (mounts ?? []).Select(m => m.Name)
            .Concat((env ?? []).Select(e => e.ValueFrom?.FileKeyRef?.VolumeName).OfType<string>());
}
