using Grpc.Core;
using k8s.Models;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Images;

/// <summary>Finds and pulls images: so many at once, with the pod's credentials, and with an account of who opened what.</summary>
internal sealed class ImagePuller(IImageService images, PullSecrets secrets, PullRecords records, PullVerification verification, int parallelPulls, TimeProvider time)
{
    private readonly SemaphoreSlim slots = new(parallelPulls, parallelPulls);

    /// <summary>Raised with the ID of an image that a pod is about to use, and whether it was pulled just now.</summary>
    public event Action<string, bool>? Granted;

    /// <summary>The image that a reference names on this node, or null; with whether this pod must pull it all the same.</summary>
    public async Task<ImageFact?> InspectAsync(V1Pod pod, string reference, CancellationToken cancellationToken)
    {
        if (await FindAsync(reference, cancellationToken).ConfigureAwait(false) is not { } found)
        {
            return null;
        }

        var credentials = await secrets.ForAsync(pod, reference, cancellationToken).ConfigureAwait(false);
        if (verification.MustPull(reference, records.Find(reference, found.Id), credentials))
        {
            return found with { NeedsPull = true };
        }

        Granted?.Invoke(found.Id, false);
        return found;
    }

    /// <summary>All that the runtime knows of an image, or null.</summary>
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
            var image = await PullRecordedAsync(reference, credentials, cancellationToken).ConfigureAwait(false);
            Granted?.Invoke(image.Id, true);
            return new PulledImage(image, time.GetElapsedTime(began), time.GetElapsedTime(asked));
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<ImageFact?> FindAsync(string reference, CancellationToken cancellationToken) =>
        await GetAsync(reference, cancellationToken).ConfigureAwait(false) is { } image ? new ImageFact(image.Id, image.Size) : null;

    private async Task<ImageFact> PullRecordedAsync(string reference, IReadOnlyList<PullCredential> credentials, CancellationToken cancellationToken)
    {
        records.Begin(reference);
        try
        {
            var (pulledRef, secret) = await TryEachAsync(reference, credentials, cancellationToken).ConfigureAwait(false);
            var image = await FindAsync(pulledRef, cancellationToken).ConfigureAwait(false) ?? new ImageFact(pulledRef, 0);
            records.Succeeded(reference, image.Id, secret);
            return image;
        }
        catch (Exception)
        {
            records.Failed(reference);
            throw;
        }
    }

    private async Task<(string Ref, PullSecret? Secret)> TryEachAsync(string reference, IReadOnlyList<PullCredential> credentials, CancellationToken cancellationToken)
    {
        RpcException? last = null;
        foreach (var credential in credentials.DefaultIfEmpty(null))
        {
            var request = new PullImageRequest { Image = new ImageSpec { Image = reference }, Auth = credential?.Auth };
            try
            {
                return ((await images.PullImageAsync(request, cancellationToken).ConfigureAwait(false)).ImageRef, credential?.Secret);
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
