using k8s.Models;

namespace Podhost.Kubelet.Sources;

/// <summary>What pod sources tell the pod manager.</summary>
internal interface IPodTarget
{
    /// <summary>The pod is wanted like this.</summary>
    void Set(V1Pod pod);

    /// <summary>The pod is not wanted any more.</summary>
    void Gone(string uid, V1Pod? last);
}

/// <summary>Annotations of static and mirror pods.</summary>
internal static class PodAnnotations
{
    /// <summary>Where a pod comes from: api or file.</summary>
    public const string Source = "kubernetes.io/config.source";

    /// <summary>Hash of the manifest.</summary>
    public const string Hash = "kubernetes.io/config.hash";

    /// <summary>When the manifest was read first.</summary>
    public const string Seen = "kubernetes.io/config.seen";

    /// <summary>On a mirror pod: the hash of the static pod that it shows.</summary>
    public const string Mirror = "kubernetes.io/config.mirror";

    public static string? Get(V1Pod pod, string key) =>
        pod.Metadata?.Annotations is { } all && all.TryGetValue(key, out var value) ? value : null;
}
