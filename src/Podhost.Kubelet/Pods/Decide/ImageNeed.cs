using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>An image that a pod needs.</summary>
/// <param name="User">What needs it, unique in the pod: a container's name, or <c>volume/NAME</c>.</param>
/// <param name="Image">The reference, as the spec has it.</param>
/// <param name="Policy">The pull policy, as the spec has it.</param>
/// <param name="About">The container that events are about; null for a volume: they are about the pod.</param>
internal sealed record ImageNeed(string User, string Image, string? Policy, ContainerSpec? About)
{
    /// <summary>Always for <c>:latest</c> and for no tag, else IfNotPresent, where the spec does not say.</summary>
    public string PullPolicy => !string.IsNullOrEmpty(Policy) ? Policy : ImageName.HasLatestTag(Image) ? "Always" : "IfNotPresent";

    /// <summary>The image that a container starts from.</summary>
    public static ImageNeed Of(ContainerSpec spec) => new(spec.Name, spec.Container.Image ?? "", spec.Container.ImagePullPolicy, spec);

    /// <summary>The images of the volumes that a container mounts, in the order of the spec.</summary>
    public static IEnumerable<ImageNeed> OfVolumes(V1Pod pod, ContainerSpec spec) =>
        (pod.Spec?.Volumes ?? []).Where(v => v.Image is not null && spec.Container.VolumeMounts?.Any(m => m.Name == v.Name) == true).Select(Of);

    /// <summary>The need of a user of the pod, or null where the spec has it no more.</summary>
    public static ImageNeed? Find(DecisionPass pass, string user) => pass.Spec(user) is { } spec
        ? Of(spec)
        : (pass.Pod.Spec?.Volumes ?? []).Where(v => v.Image is not null).Select(Of).FirstOrDefault(n => n.User == user);

    /// <summary>The name of the volume, for a need of one.</summary>
    public string Volume => User["volume/".Length..];

    private static ImageNeed Of(V1Volume volume) => new("volume/" + volume.Name, volume.Image.Reference ?? "", volume.Image.PullPolicy, null);
}
