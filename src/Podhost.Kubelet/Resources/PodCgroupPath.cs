using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>Names in the cgroup tree of pods, relative to the mount of a hierarchy.</summary>
public static class PodCgroupPath
{
    private const string PodPrefix = "pod";

    /// <summary>The cgroup of all pods: <c>/kubepods</c> below the configured root.</summary>
    public static string Root(ResourceOptions options) => Join(options.CgroupRoot, options.PodsCgroup);

    /// <summary>The cgroup of a QoS class; Guaranteed pods are directly in the root.</summary>
    public static string OfClass(ResourceOptions options, QosClass qos) => qos switch
    {
        QosClass.Burstable => Join(Root(options), "burstable"),
        QosClass.BestEffort => Join(Root(options), "besteffort"),
        _ => Root(options),
    };

    /// <summary>A pod's cgroup, which is also CRI's <c>cgroup_parent</c>.</summary>
    public static string OfPod(ResourceOptions options, V1Pod pod) => Join(OfClass(options, QosRules.Of(pod)), NameOf(pod.Metadata.Uid));

    /// <summary>Name of the directory of a pod.</summary>
    /// <exception cref="ArgumentException">The UID cannot be part of a file name.</exception>
    internal static string NameOf(string uid) => uid.Length > 0 && !uid.AsSpan().ContainsAny('/', '\0')
        ? PodPrefix + uid
        : throw new ArgumentException($"\"{uid}\" cannot be the name of a cgroup");

    /// <summary>The UID of a pod's directory, or null where it is none.</summary>
    internal static string? UidOf(string directoryName) =>
        directoryName.Length > PodPrefix.Length && directoryName.StartsWith(PodPrefix, StringComparison.Ordinal) ? directoryName[PodPrefix.Length..] : null;

    private static string Join(string parent, string name) => $"{parent.TrimEnd('/')}/{name}";
}
