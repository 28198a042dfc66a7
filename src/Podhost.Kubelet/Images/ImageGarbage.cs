using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Eviction.Pressure;

namespace Podhost.Kubelet.Images;

/// <summary>What the collection of images works on.</summary>
internal sealed record ImageGarbageServices
{
    public required IImageService Images { get; init; }

    public required IRuntimeService Runtime { get; init; }

    public required PullRecords Records { get; init; }

    /// <summary>The file system that a directory lies on.</summary>
    public required Func<string, DiskSpace> Disk { get; init; }

    /// <summary>The infra container's image, which no container shows; empty for none.</summary>
    public string InfraImage { get; init; } = "";

    /// <summary>Takes a warning about the node: reason and message.</summary>
    public required Action<string, string> Warn { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }
}

/// <summary>
/// Removes images that no container has when their disk is nearly full, or when they are old. A pull fills the disk: it is looked at after
/// each one; other things fill it too and tell nobody: it is looked at every few minutes.
/// </summary>
internal sealed partial class ImageGarbage(ImageGarbageServices services, ImageGarbageOptions options) : IDiskReclaim
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, KnownImage> known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> granted = new(StringComparer.Ordinal);
    private readonly HashSet<string> withImageVolumes = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim collecting = new(1, 1);
    private readonly Channel<bool> pulls = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly DateTimeOffset began = services.Time.GetUtcNow();
    private string? directory;
    private bool failedBefore;

    /// <summary>A pod was given an image: it stays until a container had time to show it.</summary>
    public void Granted(string imageId, bool pulled)
    {
        lock (gate)
        {
            granted[imageId] = services.Time.GetUtcNow();
        }

        if (pulled)
        {
            pulls.Writer.TryWrite(true);
        }
    }

    /// <summary>Pods come and go: an image that a volume of one shows is seen in its containers' mounts alone.</summary>
    public void Track(string podUid, V1Pod? pod)
    {
        lock (gate)
        {
            if (pod?.Spec?.Volumes?.Any(v => v.Image is not null) == true)
            {
                withImageVolumes.Add(podUid);
            }
            else
            {
                withImageVolumes.Remove(podUid);
            }
        }
    }

    /// <summary>Collects until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await TryAsync(ct => DetectAsync(firstTime: true, ct), cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await NextAsync(cancellationToken).ConfigureAwait(false);
            await TryAsync(CollectAsync, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One look: what is too old goes, and what must for the disk to come below its low threshold.</summary>
    /// <exception cref="ImageGarbageException">Not enough could be removed.</exception>
    public async Task CollectAsync(CancellationToken cancellationToken)
    {
        await collecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var images = await DetectAsync(firstTime: false, cancellationToken).ConfigureAwait(false);
            var now = services.Time.GetUtcNow();

            // What was unused before this process began is not known to it.
            var old = now - began > options.MaximumAge ? ImageGarbageRules.TooOld(options, images, now).ToList() : [];
            await RemoveAsync(old, long.MaxValue, cancellationToken).ConfigureAwait(false);

            var disk = services.Disk(await DirectoryAsync(cancellationToken).ConfigureAwait(false));
            if (disk.Capacity == 0)
            {
                const string Invalid = "invalid capacity 0 on image filesystem";
                services.Warn("InvalidDiskCapacity", Invalid);
                throw new ImageGarbageException(Invalid);
            }

            await FreeAsync(ImageGarbageRules.ToFree(options, disk), [.. images.Except(old)], cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            collecting.Release();
        }
    }

    /// <summary>Removes all that nobody uses, however much: the node is short of disk and would evict pods next.</summary>
    public async Task FreeAsync(CancellationToken cancellationToken)
    {
        await collecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var images = await DetectAsync(firstTime: false, cancellationToken).ConfigureAwait(false);
            await RemoveAsync(ImageGarbageRules.Removable(options, images, services.Time.GetUtcNow()), long.MaxValue, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            collecting.Release();
        }
    }

    private async Task FreeAsync(long wanted, IReadOnlyList<KnownImage> images, CancellationToken cancellationToken)
    {
        if (wanted == 0)
        {
            return;
        }

        LogFull(services.Logger, options.HighThresholdPercent, wanted, options.LowThresholdPercent);
        var freed = await RemoveAsync(ImageGarbageRules.Removable(options, images, services.Time.GetUtcNow()), wanted, cancellationToken).ConfigureAwait(false);
        if (freed < wanted)
        {
            var message = $"Failed to garbage collect required amount of images. Attempted to free {wanted} bytes, but only found {freed} bytes eligible to free.";
            services.Warn("FreeDiskSpaceFailed", message);
            throw new ImageGarbageException(message);
        }
    }

    private async Task<long> RemoveAsync(IEnumerable<KnownImage> images, long wanted, CancellationToken cancellationToken)
    {
        var freed = 0L;
        foreach (var image in images.TakeWhile(_ => freed < wanted))
        {
            await services.Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = image.Id } }, cancellationToken).ConfigureAwait(false);
            LogRemoved(services.Logger, image.Id, image.Size);
            freed += image.Size;
            lock (gate)
            {
                known.Remove(image.Id);
            }
        }

        return freed;
    }

    /// <summary>Brings what is known of the images up to date.</summary>
    private async Task<IReadOnlyList<KnownImage>> DetectAsync(bool firstTime, CancellationToken cancellationToken)
    {
        var now = services.Time.GetUtcNow();
        var list = (await services.Images.ListImagesAsync(new ListImagesRequest(), cancellationToken).ConfigureAwait(false)).Images;

        // Containers are listed after images: one that is made in between has an image of the list.
        var used = await UsedAsync(cancellationToken).ConfigureAwait(false);
        var infra = await InfraAsync(cancellationToken).ConfigureAwait(false);
        lock (gate)
        {
            foreach (var image in list)
            {
                var inUse = used.Contains(image.Id) || image.RepoDigests.Any(used.Contains) || image.RepoTags.Any(used.Contains);
                var before = known.GetValueOrDefault(image.Id) ?? new KnownImage(image.Id, 0, firstTime ? default : now, default);
                known[image.Id] = before with
                {
                    Size = (long)Math.Min(image.Size, long.MaxValue),
                    InUse = inUse,
                    LastUsed = inUse ? now : before.LastUsed,
                    Pinned = image.Pinned || image.Id == infra,
                    GrantedAt = granted.TryGetValue(image.Id, out var at) ? at : null,
                };
            }

            var present = list.Select(i => i.Id).ToHashSet(StringComparer.Ordinal);
            Forget(known, present);
            Forget(granted, present);
            services.Records.Prune(present, now);
            return [.. known.Values];
        }
    }

    private static void Forget<T>(Dictionary<string, T> about, HashSet<string> present)
    {
        foreach (var id in about.Keys.Where(id => !present.Contains(id)).ToList())
        {
            about.Remove(id);
        }
    }

    private async Task<HashSet<string>> UsedAsync(CancellationToken cancellationToken)
    {
        var containers = (await services.Runtime.ListContainersAsync(new ListContainersRequest(), cancellationToken).ConfigureAwait(false)).Containers;
        var used = containers.SelectMany(c => (string[])[c.ImageId, c.ImageRef, c.Image?.Image ?? ""]).ToList();
        foreach (var container in containers.Where(MountsImages))
        {
            used.AddRange(await MountedAsync(container.Id, cancellationToken).ConfigureAwait(false));
        }

        return [.. used.Where(i => i.Length > 0)];
    }

    private bool MountsImages(Container container)
    {
        lock (gate)
        {
            return container.Labels.TryGetValue(CriLabels.PodUid, out var uid) && withImageVolumes.Contains(uid);
        }
    }

    private async Task<IEnumerable<string>> MountedAsync(string containerId, CancellationToken cancellationToken)
    {
        try
        {
            var status = await services.Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = containerId }, cancellationToken).ConfigureAwait(false);
            return status.Status.Mounts.Where(m => m.Image is not null).SelectMany(m => (string[])[m.Image.Image, m.Image.ImageRef]);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return []; // it went meanwhile
        }
    }

    private async Task<string?> InfraAsync(CancellationToken cancellationToken)
    {
        var name = services.InfraImage.Length > 0 ? services.InfraImage : await RuntimesInfraAsync(cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        var request = new ImageStatusRequest { Image = new ImageSpec { Image = name } };
        return (await services.Images.ImageStatusAsync(request, cancellationToken).ConfigureAwait(false)).Image?.Id;
    }

    /// <summary>containerd before 1.7 does not pin the image that its sandboxes are made of, but tells its name. Without it no pod can start.</summary>
    private async Task<string?> RuntimesInfraAsync(CancellationToken cancellationToken)
    {
        var status = await services.Runtime.StatusAsync(new StatusRequest { Verbose = true }, cancellationToken).ConfigureAwait(false);
        try
        {
            return status?.Info.TryGetValue("config", out var config) == true ? (JsonNode.Parse(config) as JsonObject)?["sandboxImage"]?.ToString() : null;
        }
        catch (JsonException)
        {
            return null; // what runtimes tell here is their own affair
        }
    }

    /// <summary>Where the runtime keeps images. It does not move: measuring all that is there is dear.</summary>
    private async Task<string> DirectoryAsync(CancellationToken cancellationToken)
    {
        if (directory is null)
        {
            var info = await services.Images.ImageFsInfoAsync(new ImageFsInfoRequest(), cancellationToken).ConfigureAwait(false);
            directory = info.ImageFilesystems.FirstOrDefault()?.FsId?.Mountpoint;
        }

        return directory ?? throw new ImageGarbageException("the container runtime does not tell where its images are");
    }

    private async Task NextAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(pulls.Reader.WaitToReadAsync(ending.Token).AsTask(), Task.Delay(options.Period, services.Time, ending.Token)).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        pulls.Reader.TryRead(out _);
    }

    private async Task TryAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken).ConfigureAwait(false);
            failedBefore = false;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is (RpcException or IOException or UnauthorizedAccessException or ImageGarbageException))
        {
            LogFailed(services.Logger, e.Message);
            if (failedBefore)
            {
                services.Warn("ImageGCFailed", e.Message);
            }

            failedBefore = true;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Collecting images failed: {Error}")]
    private static partial void LogFailed(ILogger logger, string error);

    [LoggerMessage(2, LogLevel.Information, "The images' disk is over {High}%: trying to free {Bytes} bytes, down to {Low}%")]
    private static partial void LogFull(ILogger logger, int high, long bytes, int low);

    [LoggerMessage(3, LogLevel.Information, "Removed the unused image {Id} of {Bytes} bytes")]
    private static partial void LogRemoved(ILogger logger, string id, long bytes);
}

/// <summary>Images could not be collected as far as they must.</summary>
internal sealed class ImageGarbageException(string message) : Exception(message);
