using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Cri.Client;

/// <summary>The image half of CRI over a channel.</summary>
internal sealed class ImageServiceClient(ImageService.ImageServiceClient client, CriDeadlines deadlines) : IImageService
{
    public Task<ListImagesResponse> ListImagesAsync(ListImagesRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListImagesAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<StreamImagesResponse> StreamImagesAsync(StreamImagesRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.StreamImages(request, cancellationToken: token), cancellationToken);

    public Task<ImageStatusResponse> ImageStatusAsync(ImageStatusRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ImageStatusAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<PullImageResponse> PullImageAsync(PullImageRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.PullImageAsync(request, cancellationToken: cancellationToken), cancellationToken);

    public Task<RemoveImageResponse> RemoveImageAsync(RemoveImageRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.RemoveImageAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ImageFsInfoResponse> ImageFsInfoAsync(ImageFsInfoRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ImageFsInfoAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);
}
