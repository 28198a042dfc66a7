using Podhost.Cri.V1;

namespace Podhost.Cri.Services;

/// <summary>
/// The image half of CRI v1, one method for each RPC.
/// Every failure is a <see cref="Grpc.Core.RpcException"/> with the status code of CRI, in-process as over a socket.
/// </summary>
public interface IImageService
{
    /// <summary>The images that match the filter.</summary>
    Task<ListImagesResponse> ListImagesAsync(ListImagesRequest request, CancellationToken cancellationToken);

    /// <summary>As ListImages, in parts; Unimplemented by runtimes before Kubernetes 1.36.</summary>
    IAsyncEnumerable<StreamImagesResponse> StreamImagesAsync(StreamImagesRequest request, CancellationToken cancellationToken);

    /// <summary>The status of an image; a response without an image when it is absent.</summary>
    Task<ImageStatusResponse> ImageStatusAsync(ImageStatusRequest request, CancellationToken cancellationToken);

    /// <summary>Pulls an image with the credentials of the request and returns its id.</summary>
    Task<PullImageResponse> PullImageAsync(PullImageRequest request, CancellationToken cancellationToken);

    /// <summary>Removes an image with all its names. Idempotent: an absent image is no error.</summary>
    Task<RemoveImageResponse> RemoveImageAsync(RemoveImageRequest request, CancellationToken cancellationToken);

    /// <summary>The usage of the filesystems that hold images and containers.</summary>
    Task<ImageFsInfoResponse> ImageFsInfoAsync(ImageFsInfoRequest request, CancellationToken cancellationToken);
}
