using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Cri.Server;

/// <summary>Forwards the RPCs of the image service to its implementation.</summary>
internal sealed class ImageServiceAdapter(IImageService service) : ImageService.ImageServiceBase
{
    public override Task<ListImagesResponse> ListImages(ListImagesRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListImagesAsync(request, token), context);

    public override Task StreamImages(StreamImagesRequest request, IServerStreamWriter<StreamImagesResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.StreamImagesAsync(request, context.CancellationToken), responseStream, context);

    public override Task<ImageStatusResponse> ImageStatus(ImageStatusRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ImageStatusAsync(request, token), context);

    public override Task<PullImageResponse> PullImage(PullImageRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.PullImageAsync(request, token), context);

    public override Task<RemoveImageResponse> RemoveImage(RemoveImageRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.RemoveImageAsync(request, token), context);

    public override Task<ImageFsInfoResponse> ImageFsInfo(ImageFsInfoRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ImageFsInfoAsync(request, token), context);
}
