using k8s.Models;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>Pods of tests, as the API server would have defaulted them.</summary>
internal static class PodBuilder
{
    public static V1Pod Make(string restartPolicy = "Always", params V1Container[] containers) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "ns", Uid = "uid-1", Generation = 1 },
        Spec = new V1PodSpec
        {
            RestartPolicy = restartPolicy,
            TerminationGracePeriodSeconds = 30,
            Containers = containers.Length > 0 ? [.. containers] : [Container("app")],
        },
    };

    public static V1Container Container(string name, string image = "img:1") => new() { Name = name, Image = image, ImagePullPolicy = "IfNotPresent" };

    public static V1Container Sidecar(string name) => new() { Name = name, Image = "img:1", ImagePullPolicy = "IfNotPresent", RestartPolicy = "Always" };

    public static V1Pod WithInits(this V1Pod pod, params V1Container[] inits)
    {
        pod.Spec.InitContainers = [.. inits];
        return pod;
    }

    /// <summary>The pod as it is after a delete was asked for.</summary>
    public static V1Pod Deleted(this V1Pod pod, long grace, DateTimeOffset at) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new V1ObjectMeta
        {
            Name = pod.Metadata.Name,
            NamespaceProperty = pod.Metadata.NamespaceProperty,
            Uid = pod.Metadata.Uid,
            Generation = pod.Metadata.Generation + 1,
            DeletionTimestamp = at.UtcDateTime.AddSeconds(grace),
            DeletionGracePeriodSeconds = grace,
        },
        Spec = pod.Spec,
        Status = pod.Status,
    };
}
