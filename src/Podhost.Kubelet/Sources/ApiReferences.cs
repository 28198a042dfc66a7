using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>What a static pod may not have: references to objects of an API server that it runs without.</summary>
internal static class ApiReferences
{
    /// <summary>The first kind of object that a pod refers to, in the plural, or null.</summary>
    public static string? First(V1Pod pod)
    {
        var spec = pod.Spec;
        if (!string.IsNullOrEmpty(spec.ServiceAccountName) || !string.IsNullOrEmpty(spec.ServiceAccount))
        {
            return "serviceaccounts";
        }

        if (spec.ResourceClaims is { Count: > 0 })
        {
            return "resourceclaims";
        }

        if (spec.ImagePullSecrets is { Count: > 0 })
        {
            return "secrets";
        }

        return spec.Volumes?.Select(OfVolume).FirstOrDefault(r => r is not null)
            ?? Containers(spec).Select(c => OfEnvironment(c.Env, c.EnvFrom)).FirstOrDefault(r => r is not null);
    }

    private static IEnumerable<(IList<V1EnvVar>? Env, IList<V1EnvFromSource>? EnvFrom)> Containers(V1PodSpec spec) =>
        (spec.InitContainers ?? []).Concat(spec.Containers ?? []).Select(c => ((IList<V1EnvVar>?)c.Env, (IList<V1EnvFromSource>?)c.EnvFrom));

    private static string? OfVolume(V1Volume v)
    {
        if (v.ConfigMap is not null || v.Projected?.Sources?.Any(s => s.ConfigMap is not null) == true)
        {
            return "configmaps";
        }

        if (v.Secret is not null || v.Projected?.Sources?.Any(s => s.Secret is not null) == true)
        {
            return "secrets";
        }

        if (v.Projected?.Sources?.Any(s => s.ServiceAccountToken is not null) == true)
        {
            return "serviceaccounts";
        }

        return v.PersistentVolumeClaim is not null || v.Ephemeral is not null ? "persistentvolumeclaims"
            : v.Projected?.Sources?.Any(s => s.ClusterTrustBundle is not null) == true ? "clustertrustbundles"
            : null;
    }

    private static string? OfEnvironment(IList<V1EnvVar>? env, IList<V1EnvFromSource>? envFrom)
    {
        if (env?.Any(e => e.ValueFrom?.ConfigMapKeyRef is not null) == true || envFrom?.Any(e => e.ConfigMapRef is not null) == true)
        {
            return "configmaps";
        }

        return env?.Any(e => e.ValueFrom?.SecretKeyRef is not null) == true || envFrom?.Any(e => e.SecretRef is not null) == true ? "secrets" : null;
    }
}
