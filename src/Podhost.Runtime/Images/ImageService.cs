using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Runtime.Images.Content;
using Podhost.Runtime.Images.Registry;
using Podhost.Runtime.Snapshots;

namespace Podhost.Runtime.Images;

/// <summary>CRI's image service on the embedded stores.</summary>
internal sealed partial class ImageService(
    ImageCatalog catalog,
    ImageRecords records,
    ImagePuller puller,
    ImageCollector collector,
    ContentStore content,
    LayerStore layers,
    RootfsService rootfs,
    string directory,
    TimeProvider time,
    ILogger<ImageService> logger) : IImageService
{
    private const int StreamChunk = 100;

    public Task<ListImagesResponse> ListImagesAsync(ListImagesRequest request, CancellationToken cancellationToken)
    {
        var response = new ListImagesResponse();
        response.Images.AddRange(Matching(request.Filter).Select(ImageMessages.ToMessage));
        return Task.FromResult(response);
    }

    public async IAsyncEnumerable<StreamImagesResponse> StreamImagesAsync(
        StreamImagesRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var chunk in Matching(request.Filter).Chunk(StreamChunk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var response = new StreamImagesResponse();
            response.Images.AddRange(chunk.Select(ImageMessages.ToMessage));
            yield return response;
        }
    }

    public async Task<ImageStatusResponse> ImageStatusAsync(ImageStatusRequest request, CancellationToken cancellationToken)
    {
        var response = new ImageStatusResponse();
        if (catalog.Find(Required(request.Image)) is { } image)
        {
            response.Image = ImageMessages.ToMessage(image);
            if (request.Verbose)
            {
                response.Info["info"] = ImageMessages.Info(image, await content.ReadAsync(image.Id, cancellationToken));
            }
        }

        return response;
    }

    public async Task<PullImageResponse> PullImageAsync(PullImageRequest request, CancellationToken cancellationToken)
    {
        var text = Required(request.Image);
        if (!ImageReference.TryParse(text, out var reference, out var error))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"failed to parse image reference \"{text}\": {error}"));
        }

        var started = time.GetTimestamp();
        try
        {
            var credentials = RegistryCredentials.From(request.Auth, reference.Domain);
            var image = await puller.PullAsync(reference, credentials, cancellationToken);
            Pulled(reference.Canonical, image.Id, time.GetElapsedTime(started).TotalMilliseconds);
            return new PullImageResponse { ImageRef = image.Id };
        }
        catch (ImageException e)
        {
            PullFailed(reference.Canonical, e.Message);
            throw ImageMessages.ToRpc(e);
        }
        catch (IOException e)
        {
            PullFailed(reference.Canonical, e.Message);
            throw new RpcException(new Status(StatusCode.Internal, $"failed to pull and unpack image \"{reference}\": {e.Message}", e));
        }
    }

    public async Task<RemoveImageResponse> RemoveImageAsync(RemoveImageRequest request, CancellationToken cancellationToken)
    {
        if (catalog.Find(Required(request.Image)) is { } image)
        {
            await records.RemoveAsync(image.Id, cancellationToken);
            Removed(image.Id);
        }

        // Also without an image: an earlier call may have been interrupted between the two.
        await collector.CollectAsync(cancellationToken);
        return new RemoveImageResponse();
    }

    public async Task<ImageFsInfoResponse> ImageFsInfoAsync(ImageFsInfoRequest request, CancellationToken cancellationToken)
    {
        var (contentBytes, contentFiles) = await Task.Run(content.Measure, cancellationToken);
        var (layerBytes, layerEntries) = await Task.Run(layers.Measure, cancellationToken);
        var written = await rootfs.MeasureAsync(cancellationToken);
        return new ImageFsInfoResponse
        {
            ImageFilesystems = { Usage(contentBytes + layerBytes, contentFiles + layerEntries) },
            ContainerFilesystems = { Usage(written.Bytes, written.Inodes) },
        };
    }

    private static string Required(ImageSpec? image) => image is { Image.Length: > 0 }
        ? image.Image
        : throw new RpcException(new Status(StatusCode.InvalidArgument, "image is required"));

    private FilesystemUsage Usage(long bytes, long inodes) => new()
    {
        Timestamp = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100,
        FsId = new FilesystemIdentifier { Mountpoint = directory },
        UsedBytes = new UInt64Value { Value = (ulong)bytes },
        InodesUsed = new UInt64Value { Value = (ulong)inodes },
    };

    private IEnumerable<LocalImage> Matching(ImageFilter? filter) => filter?.Image is { Image.Length: > 0 } spec
        ? catalog.Find(spec.Image) is { } image ? [image] : []
        : catalog.List();

    [LoggerMessage(Level = LogLevel.Information, Message = "Pulled image {Reference} as {Id} in {Milliseconds:0} ms")]
    private partial void Pulled(string reference, string id, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pull of {Reference} failed: {Error}")]
    private partial void PullFailed(string reference, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed image {Id}")]
    private partial void Removed(string id);
}
