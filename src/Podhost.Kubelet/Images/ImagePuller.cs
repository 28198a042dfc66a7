using Grpc.Core;
using k8s.Models;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Images;

/// <summary>Finds and pulls images: so many at once, with the pod's credentials.</summary>
internal sealed class ImagePuller(IImageService images, PullSecrets secrets, int parallelPulls, TimeProvider time)
{
    private readonly SemaphoreSlim slots = new(parallelPulls, parallelPulls);

    /// <summary>The image that a reference names on this node, or null.</summary>
    public async Task<ImageFact?> FindAsync(string reference, CancellationToken cancellationToken) =>
        await GetAsync(reference, cancellationToken).ConfigureAwait(false) is { } image ? new ImageFact(image.Id, image.Size) : null;

    /// <summary>As <see cref="FindAsync"/>, all that the runtime knows of it.</summary>
    public async Task<Image?> GetAsync(string reference, CancellationToken cancellationToken)
    {
        var request = new ImageStatusRequest { Image = new ImageSpec { Image = reference } };
        try
        {
            var image = (await images.ImageStatusAsync(request, cancellationToken).ConfigureAwait(false)).Image;
            return string.IsNullOrEmpty(image?.Id) ? null : image;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Pulls an image, with each fitting credential in turn and without one where there is none.</summary>
    /// <exception cref="RpcException">Why the last try failed.</exception>
    public async Task<PulledImage> PullAsync(V1Pod pod, string reference, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var credentials = await secrets.ForAsync(pod, reference, cancellationToken).ConfigureAwait(false);
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var began = time.GetTimestamp();
            var pulledRef = await TryEachAsync(reference, credentials, cancellationToken).ConfigureAwait(false);
            var (took, waited) = (time.GetElapsedTime(began), time.GetElapsedTime(asked));
            var image = await FindAsync(pulledRef, cancellationToken).ConfigureAwait(false) ?? new ImageFact(pulledRef, 0);
            return new PulledImage(image, took, waited);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<string> TryEachAsync(string reference, IReadOnlyList<AuthConfig> credentials, CancellationToken cancellationToken)
    {
        RpcException? last = null;
        foreach (var auth in credentials.DefaultIfEmpty(null))
        {
            var request = new PullImageRequest { Image = new ImageSpec { Image = reference }, Auth = auth };
            try
            {
                return (await images.PullImageAsync(request, cancellationToken).ConfigureAwait(false)).ImageRef;
            }
            catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
            {
                last = e;
            }
        }

        throw last!;
    }
}

/// <summary>An image that was pulled.</summary>
/// <param name="Image">The image.</param>
/// <param name="Took">Time of the pull.</param>
/// <param name="TookWithWaiting">The same with the time spent waiting for a slot.</param>
internal sealed record PulledImage(ImageFact Image, TimeSpan Took, TimeSpan TookWithWaiting);
