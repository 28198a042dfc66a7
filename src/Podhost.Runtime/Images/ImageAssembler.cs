using Podhost.Runtime.Images.Content;
using Podhost.Runtime.Snapshots;

namespace Podhost.Runtime.Images;

/// <summary>
/// Makes a usable image of a manifest: fetches the configuration and the layers that are not unpacked yet (some at a time), unpacks
/// them in order, and records the image last. Interrupted anywhere, nothing is visible and what was fetched is used next time.
/// </summary>
internal sealed class ImageAssembler(ContentStore content, LayerStore layers, ImageRecords records, Holds holds, int maxParallelFetches)
{
    private readonly SemaphoreSlim _fetches = new(maxParallelFetches, maxParallelFetches);

    /// <param name="names">The names that the image gets: references with tag or digest.</param>
    /// <param name="manifest">The manifest, not an index.</param>
    /// <param name="source">Fetches what the manifest names.</param>
    /// <param name="report">Gets the progress.</param>
    /// <param name="cancellationToken">Cancels; what was received stays for the next time.</param>
    /// <exception cref="ImageException">The image is damaged or cannot be fetched.</exception>
    public async Task<LocalImage> AssembleAsync(
        ImageNameSet names,
        ManifestDocument manifest,
        IBlobSource source,
        Action<PullPhase, Descriptor?, long> report,
        CancellationToken cancellationToken)
    {
        using var heldContent = holds.Hold([manifest.Digest, manifest.Config!.Digest, .. manifest.Layers.Select(layer => layer.Digest).Distinct()]);
        var config = await FetchConfigAsync(manifest, source, cancellationToken);
        if (config.DiffIds.Count != manifest.Layers.Count)
        {
            throw new ImageException(
                ImageError.Invalid, $"mismatched image rootfs and manifest layers: {config.DiffIds.Count} and {manifest.Layers.Count}");
        }

        var chainIds = config.ChainIds();
        using var heldLayers = holds.Hold([.. chainIds.Select(Holds.Layer)]);
        await PlaceLayersAsync(manifest, config, chainIds, source, report, cancellationToken);
        await content.WriteAsync(manifest.Digest, manifest.Content, cancellationToken);
        var image = await records.PutAsync(
            new LocalImage
            {
                Id = manifest.Config.Digest,
                ManifestDigest = manifest.Digest,
                RepoTags = names.Tags,
                RepoDigests = names.Digests,
                ChainIds = chainIds,
                Size = manifest.Content.Length + manifest.Config.Size + manifest.Layers.Sum(layer => layer.Size),
                Config = config.Config,
            },
            cancellationToken);
        DeleteLayerBlobs(manifest);
        report(PullPhase.Done, null, 0);
        return image;
    }

    private async Task<ConfigDocument> FetchConfigAsync(ManifestDocument manifest, IBlobSource source, CancellationToken cancellationToken)
    {
        var descriptor = manifest.Config!;
        if (descriptor.Size > ConfigDocument.MaxBytes)
        {
            throw new ImageException(ImageError.TooLarge, $"image config has more than {ConfigDocument.MaxBytes} bytes");
        }

        await source.FetchAsync(descriptor, _ => { }, cancellationToken);
        var bytes = await content.ReadAsync(descriptor.Digest, cancellationToken)
            ?? throw new ImageException(ImageError.NotFound, $"image config {descriptor.Digest}: not found");
        return ConfigDocument.Parse(bytes);
    }

    private async Task PlaceLayersAsync(
        ManifestDocument manifest,
        ConfigDocument config,
        IReadOnlyList<string> chainIds,
        IBlobSource source,
        Action<PullPhase, Descriptor?, long> report,
        CancellationToken cancellationToken)
    {
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var fetches = manifest.Layers.Select((layer, i) => FetchLayerAsync(layer, chainIds[i], source, report, abort.Token)).ToList();
        try
        {
            for (var i = 0; i < fetches.Count; i++)
            {
                await fetches[i];
                var layer = manifest.Layers[i];
                if (!layers.Exists(chainIds[i]))
                {
                    report(PullPhase.Unpacking, layer, layer.Size);
                    await layers.UnpackAsync(
                        chainIds[i], [.. chainIds.Take(i)], () => content.OpenRead(layer.Digest), config.DiffIds[i], abort.Token);
                }

                report(PullPhase.Ready, layer, layer.Size);
            }
        }
        catch
        {
            await abort.CancelAsync();

            // The first failure is the one to tell; the others are its consequences, and none may outlive this call.
            await Task.WhenAll(fetches).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private async Task FetchLayerAsync(
        Descriptor layer,
        string chainId,
        IBlobSource source,
        Action<PullPhase, Descriptor?, long> report,
        CancellationToken cancellationToken)
    {
        if (layers.Exists(chainId))
        {
            return;
        }

        await _fetches.WaitAsync(cancellationToken);
        try
        {
            await source.FetchAsync(layer, count => report(PullPhase.Downloading, layer, count), cancellationToken);
        }
        finally
        {
            _fetches.Release();
        }
    }

    // Unpacked, they are of no more use, as layers are shared by chain id; unless another pull is about to unpack the same.
    private void DeleteLayerBlobs(ManifestDocument manifest)
    {
        foreach (var digest in manifest.Layers.Select(layer => layer.Digest).Distinct())
        {
            holds.IfOnlyHolder(digest, () => content.Delete(digest));
        }
    }
}

/// <summary>The names that a pull or load gives to an image.</summary>
internal sealed record ImageNameSet(IReadOnlyList<string> Tags, IReadOnlyList<string> Digests);
