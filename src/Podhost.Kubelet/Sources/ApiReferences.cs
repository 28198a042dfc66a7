using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>What a static pod may not have: references to objects of an API server that it runs without.</summary>
internal static class ApiReferences
{
    /// <summary>The first kind of object that a pod refers to and may not, in the plural, or null.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="withObjects">ConfigMaps and Secrets stand beside it.</param>
    public static string? First(V1Pod pod, bool withObjects = false) =>
        All(pod).FirstOrDefault(r => r is not null && !(withObjects && (r is "configmaps" or "secrets")));

    private static IEnumerable<string?> All(V1Pod pod)
    {
        var spec = pod.Spec;
        if (!string.IsNullOrEmpty(spec.ServiceAccountName) || !string.IsNullOrEmpty(spec.ServiceAccount))
        {
            yield return "serviceaccounts";
        }

        if (spec.ResourceClaims is { Count: > 0 })
        {
            yield return "resourceclaims";
        }

        if (spec.ImagePullSecrets is { Count: > 0 })
        {
            yield return "secrets";
        }

        foreach (var reference in (spec.Volumes ?? []).SelectMany(OfVolume).Concat(Containers(spec).SelectMany(c => OfEnvironment(c.Env, c.EnvFrom))))
        {
            yield return reference;
        }
    }

    private static IEnumerable<(IList<V1EnvVar>? Env, IList<V1EnvFromSource>? EnvFrom)> Containers(V1PodSpec spec) =>
        (spec.InitContainers ?? []).Concat(spec.Containers ?? []).Select(c => ((IList<V1EnvVar>?)c.Env, (IList<V1EnvFromSource>?)c.EnvFrom));

    private static IEnumerable<string?> OfVolume(V1Volume v)
    {
        var sources = v.Projected?.Sources ?? [];
        yield return v.ConfigMap is not null || sources.Any(s => s.ConfigMap is not null) ? "configmaps" : null;
        yield return v.Secret is not null || sources.Any(s => s.Secret is not null) ? "secrets" : null;
        yield return sources.Any(s => s.ServiceAccountToken is not null) ? "serviceaccounts" : null;
        yield return v.PersistentVolumeClaim is not null || v.Ephemeral is not null ? "persistentvolumeclaims" : null;
        yield return sources.Any(s => s.ClusterTrustBundle is not null) ? "clustertrustbundles" : null;
    }

    private static IEnumerable<string?> OfEnvironment(IList<V1EnvVar>? env, IList<V1EnvFromSource>? envFrom)
    {
        yield return env?.Any(e => e.ValueFrom?.ConfigMapKeyRef is not null) == true || envFrom?.Any(e => e.ConfigMapRef is not null) == true ? "configmaps" : null;
        yield return env?.Any(e => e.ValueFrom?.SecretKeyRef is not null) == true || envFrom?.Any(e => e.SecretRef is not null) == true ? "secrets" : null;
    }
}
