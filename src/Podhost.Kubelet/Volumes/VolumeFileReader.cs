using k8s.Models;
namespace Podhost.Kubelet.Volumes;
internal sealed class VolumeFileReader(PodPaths paths)
{
    public string? Read(V1Pod pod, string volume, string path, int max) => throw new NotSupportedException(paths.Pods);
}
