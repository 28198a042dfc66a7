using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>The ConfigMaps and Secrets that a pod refers to.</summary>
internal sealed record ObjectNames(IReadOnlySet<(string Namespace, string Name)> ConfigMaps, IReadOnlySet<(string Namespace, string Name)> Secrets)
{
    public static ObjectNames Of(V1Pod pod)
    {
        var maps = new HashSet<string?>();
        var secrets = new HashSet<string?>();
        secrets.UnionWith((pod.Spec?.ImagePullSecrets ?? []).Select(r => r.Name));
        foreach (var volume in pod.Spec?.Volumes ?? [])
        {
            maps.Add(volume.ConfigMap?.Name);
            secrets.Add(volume.Secret?.SecretName);
            foreach (var source in volume.Projected?.Sources ?? [])
            {
                maps.Add(source.ConfigMap?.Name);
                secrets.Add(source.Secret?.Name);
            }
        }

        foreach (var (env, envFrom) in Environments(pod))
        {
            maps.UnionWith((env ?? []).Select(e => e.ValueFrom?.ConfigMapKeyRef?.Name).Concat((envFrom ?? []).Select(e => e.ConfigMapRef?.Name)));
            secrets.UnionWith((env ?? []).Select(e => e.ValueFrom?.SecretKeyRef?.Name).Concat((envFrom ?? []).Select(e => e.SecretRef?.Name)));
        }

        var ns = pod.Metadata.NamespaceProperty;
        return new ObjectNames(Qualify(ns, maps), Qualify(ns, secrets));
    }

    private static IEnumerable<(IList<V1EnvVar>? Env, IList<V1EnvFromSource>? EnvFrom)> Environments(V1Pod pod) =>
        (pod.Spec?.InitContainers ?? []).Concat(pod.Spec?.Containers ?? []).Select(c => ((IList<V1EnvVar>?)c.Env, (IList<V1EnvFromSource>?)c.EnvFrom))
            .Concat((pod.Spec?.EphemeralContainers ?? []).Select(c => ((IList<V1EnvVar>?)c.Env, (IList<V1EnvFromSource>?)c.EnvFrom)));

    private static HashSet<(string, string)> Qualify(string ns, IEnumerable<string?> names) =>
        [.. names.Where(n => !string.IsNullOrEmpty(n)).Select(n => (ns, n!))];
}
