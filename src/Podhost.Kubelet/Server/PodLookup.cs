using k8s.Models;
using Podhost.Kubelet.Pods;

namespace Podhost.Kubelet.Server;

/// <summary>Finds what a path names, with upstream's messages for what is not there.</summary>
internal sealed class PodLookup(IPodDirectory pods)
{
    /// <summary>A pod by namespace and name, and by UID where one is given.</summary>
    /// <exception cref="KubeletRequestException">404.</exception>
    public V1Pod Pod(string ns, string name, string? uid = null)
    {
        var pod = uid is null ? pods.Find(ns, name) : pods.FindByUid(uid);
        return pod is not null && pod.Metadata.NamespaceProperty == ns && pod.Metadata.Name == name
            ? pod
            : throw KubeletRequestException.NotFound("pod does not exist");
    }

    /// <summary>The running instance of a container.</summary>
    /// <exception cref="KubeletRequestException">404.</exception>
    public PodContainerInstance Running(V1Pod pod, string container) =>
        pods.FindContainer(pod.Metadata.Uid, container) is { Running: true } instance
            ? instance
            : throw KubeletRequestException.NotFound($"container not found (\"{container}\")");

    /// <summary>The pod's live sandbox.</summary>
    /// <exception cref="KubeletRequestException">404.</exception>
    public string Sandbox(V1Pod pod) =>
        pods.FindSandbox(pod.Metadata.Uid) ?? throw KubeletRequestException.NotFound($"pod not found (\"{pod.Metadata.Name}_{pod.Metadata.NamespaceProperty}\")");

    /// <summary>The instance whose log is asked for.</summary>
    /// <exception cref="KubeletRequestException">404 for an unknown container, 400 for one that has no log yet.</exception>
    public PodContainerInstance ForLogs(V1Pod pod, string container, bool previous)
    {
        if (!Names(pod).Contains(container))
        {
            throw KubeletRequestException.NotFound($"container \"{container}\" not found in pod \"{pod.Metadata.Name}\"");
        }

        if (pods.FindContainer(pod.Metadata.Uid, container, previous) is { } instance)
        {
            return instance;
        }

        throw KubeletRequestException.BadRequest(previous
            ? $"previous terminated container \"{container}\" in pod \"{pod.Metadata.Name}\" not found"
            : $"container \"{container}\" in pod \"{pod.Metadata.Name}\" {Waiting(pod, container)}");
    }

    private static IEnumerable<string> Names(V1Pod pod) =>
        (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).Select(c => c.Name)
            .Concat((pod.Spec.EphemeralContainers ?? []).Select(c => c.Name));

    private static string Waiting(V1Pod pod, string container)
    {
        var statuses = (pod.Status?.ContainerStatuses ?? [])
            .Concat(pod.Status?.InitContainerStatuses ?? [])
            .Concat(pod.Status?.EphemeralContainerStatuses ?? []);
        return statuses.FirstOrDefault(s => s.Name == container)?.State?.Waiting?.Reason switch
        {
            "ErrImagePull" => "is waiting to start: image can't be pulled",
            "ImagePullBackOff" => "is waiting to start: trying and failing to pull image",
            { Length: > 0 } reason => "is waiting to start: " + reason,
            _ => "is not available",
        };
    }
}
