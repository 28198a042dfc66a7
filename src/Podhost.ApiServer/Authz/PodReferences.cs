using k8s.Models;
using Podhost.Api.Storage;

namespace Podhost.ApiServer.Authz;

/// <summary>The objects that a pod's spec names, as (plural resource, name) in the pod's namespace.</summary>
internal static class PodReferences
{
    public static IEnumerable<(string Kind, string Name)> Of(V1Pod pod)
    {
        var spec = pod.Spec;
        if (spec is null)
        {
            yield break;
        }

        yield return ("serviceaccounts", spec.ServiceAccountName is { Length: > 0 } account ? account : "default");
        foreach (var secret in spec.ImagePullSecrets ?? [])
        {
            yield return ("secrets", secret.Name ?? "");
        }

        foreach (var reference in (spec.Volumes ?? []).SelectMany(volume => OfVolume(pod, volume)))
        {
            yield return reference;
        }

        foreach (var reference in (spec.InitContainers ?? []).Concat(spec.Containers ?? []).SelectMany(c => OfEnv(c.Env, c.EnvFrom)))
        {
            yield return reference;
        }

        foreach (var reference in (spec.EphemeralContainers ?? []).SelectMany(c => OfEnv(c.Env, c.EnvFrom)))
        {
            yield return reference;
        }
    }

    private static IEnumerable<(string, string)> OfVolume(V1Pod pod, V1Volume volume)
    {
        if (volume.ConfigMap?.Name is { } configMap)
        {
            yield return ("configmaps", configMap);
        }

        if (volume.Secret?.SecretName is { } secret)
        {
            yield return ("secrets", secret);
        }

        if (PodClaims.NameOf(pod, volume) is { } claim)
        {
            yield return ("persistentvolumeclaims", claim);
        }

        foreach (var source in volume.Projected?.Sources ?? [])
        {
            if (source.ConfigMap?.Name is { } projectedConfigMap)
            {
                yield return ("configmaps", projectedConfigMap);
            }

            if (source.Secret?.Name is { } projectedSecret)
            {
                yield return ("secrets", projectedSecret);
            }
        }
    }

    private static IEnumerable<(string, string)> OfEnv(IList<V1EnvVar>? env, IList<V1EnvFromSource>? envFrom)
    {
        foreach (var variable in env ?? [])
        {
            if (variable.ValueFrom?.ConfigMapKeyRef?.Name is { } configMap)
            {
                yield return ("configmaps", configMap);
            }

            if (variable.ValueFrom?.SecretKeyRef?.Name is { } secret)
            {
                yield return ("secrets", secret);
            }
        }

        foreach (var source in envFrom ?? [])
        {
            if (source.ConfigMapRef?.Name is { } configMap)
            {
                yield return ("configmaps", configMap);
            }

            if (source.SecretRef?.Name is { } secret)
            {
                yield return ("secrets", secret);
            }
        }
    }
}
