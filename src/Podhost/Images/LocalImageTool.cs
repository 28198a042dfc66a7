using System.Collections.Concurrent;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Images;

namespace Podhost.Images;

/// <summary>The images of this process.</summary>
internal sealed class LocalImageTool(EmbeddedImages images, ImageProgress progressHub, bool owned) : IImageTool
{
    public async Task<IReadOnlyList<string>> PullAsync(string reference, Action<ImageStep> progress, CancellationToken cancellationToken)
    {
        using var listening = progressHub.Listen(progress);
        var pulled = await Translate(() => images.Service.PullImageAsync(new PullImageRequest { Image = new ImageSpec { Image = reference } }, cancellationToken));
        return [pulled.ImageRef];
    }

    public async Task<IReadOnlyList<string>> LoadAsync(string path, string? name, Action<ImageStep> progress, CancellationToken cancellationToken)
    {
        using var listening = progressHub.Listen(progress);
        var loaded = await Translate(() => images.Loader.LoadAsync(path, name, cancellationToken));
        return [.. loaded.SelectMany(i => i.RepoTags.Count > 0 ? i.RepoTags : [i.Id])];
    }

    public async Task<IReadOnlyList<ImageLine>> ListAsync(CancellationToken cancellationToken)
    {
        var answer = await Translate(() => images.Service.ListImagesAsync(new ListImagesRequest(), cancellationToken));
        return [.. answer.Images.Select(i => new ImageLine(i.Id, [.. i.RepoTags.Count > 0 ? i.RepoTags : i.RepoDigests], (long)i.Size))];
    }

    public async Task RemoveAsync(string reference, CancellationToken cancellationToken)
    {
        var spec = new ImageSpec { Image = reference };
        var status = await Translate(() => images.Service.ImageStatusAsync(new ImageStatusRequest { Image = spec }, cancellationToken));
        if (status.Image is null)
        {
            throw new ImageToolException($"image \"{reference}\" not found");
        }

        await Translate(() => images.Service.RemoveImageAsync(new RemoveImageRequest { Image = spec }, cancellationToken));
    }

    public ValueTask DisposeAsync()
    {
        if (owned)
        {
            images.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private static async Task<T> Translate<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (RpcException e)
        {
            throw new ImageToolException(e.Status.Detail);
        }
    }
}

/// <summary>Hands the progress of pulls and loads to whoever listens just now.</summary>
internal sealed class ImageProgress
{
    private readonly ConcurrentDictionary<object, Action<ImageStep>> _listeners = new();

    /// <summary>The sink that the image service is built with.</summary>
    public void Report(PullProgress progress)
    {
        if (_listeners.IsEmpty)
        {
            return;
        }

        var step = new ImageStep(progress.Phase.ToString().ToLowerInvariant(), progress.Digest, progress.Current, progress.Total);
        foreach (var listener in _listeners.Values)
        {
            listener(step);
        }
    }

    public IDisposable Listen(Action<ImageStep> listener)
    {
        var key = new object();
        _listeners[key] = listener;
        return new Subscription(() => _listeners.TryRemove(key, out _));
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
