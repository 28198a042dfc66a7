using k8s.Models;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>image: the runtime mounts it; the kubelet only names it.</summary>
internal sealed class ImageHandler : IVolumeHandler
{
    public bool IsReadOnly => true;

    public bool Follows => false;

    public bool Handles(V1Volume volume) => volume.Image is not null;

    public Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken) =>
        string.IsNullOrEmpty(context.Volume.Image.Reference)
            ? throw new VolumeSetUpException("image.reference is required")
            : Task.FromResult<DateTimeOffset?>(null);
}
