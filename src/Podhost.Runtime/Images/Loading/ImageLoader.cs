using Grpc.Core;
using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Images.Loading;

internal sealed class ImageLoader(
    ContentStore content,
    ImageAssembler assembler,
    string workDirectory,
    long maxArchiveBytes,
    Action<PullProgress> progress) : IImageLoader
{
    private readonly KeyedLock _locks = new();

    public async Task<IReadOnlyList<LocalImage>> LoadAsync(string path, string? name, CancellationToken cancellationToken)
    {
        try
        {
            using var archive = await OpenAsync(path, cancellationToken);
            var found = await ReadAsync(archive, cancellationToken);
            if (found.Count == 0)
            {
                throw new ImageException(ImageError.Invalid, "there is no image in it");
            }

            var loaded = new List<LocalImage>();
            foreach (var image in found)
            {
                loaded.Add(await LoadAsync(archive, image, name is not null && found.Count == 1 ? [name] : image.Names, cancellationToken));
            }

            return loaded;
        }
        catch (ImageException e)
        {
            throw ImageMessages.ToRpc(e.Wrap($"failed to load image archive {path}"));
        }
    }

    private static async Task<IReadOnlyList<ArchivedImage>> ReadAsync(IArchive archive, CancellationToken cancellationToken)
    {
        // Newer `docker save` writes both: the tags are complete in its own file.
        if (archive.Contains(DockerArchive.FileName))
        {
            return await DockerArchive.ReadAsync(archive, cancellationToken);
        }

        return archive.Contains(OciLayout.FileName)
            ? await OciLayout.ReadAsync(archive, cancellationToken)
            : throw new ImageException(ImageError.Invalid, $"it has neither {DockerArchive.FileName} nor {OciLayout.FileName}");
    }

    private async Task<IArchive> OpenAsync(string path, CancellationToken cancellationToken)
    {
        if (Directory.Exists(path))
        {
            return new DirectoryArchive(path);
        }

        return File.Exists(path)
            ? await TarArchive.OpenAsync(path, workDirectory, maxArchiveBytes, cancellationToken)
            : throw new ImageException(ImageError.NotFound, "no such file or directory");
    }

    private async Task<LocalImage> LoadAsync(IArchive archive, ArchivedImage image, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var references = names.Select(Parse).ToList();
        var label = references.Count > 0 ? references[0].Canonical : image.Manifest.Config!.Digest;
        return await assembler.AssembleAsync(
            new ImageNameSet(
                [.. references.Where(r => r.Digest is null).Select(r => r.Canonical)],
                image.TopDigest is null ? [] : [.. references.Select(r => r.WithDigest(image.TopDigest).Canonical).Distinct()]),
            image.Manifest,
            new ArchiveBlobSource(archive, image.FilesByDigest, content, _locks),
            (phase, layer, current) => progress(new PullProgress(label, phase, layer?.Digest ?? "", current, layer?.Size ?? 0)),
            cancellationToken);
    }

    private static ImageReference Parse(string name) => ImageReference.TryParse(name, out var reference, out var error)
        ? reference
        : throw new ImageException(ImageError.Invalid, $"invalid image name \"{name}\": {error}");
}

/// <summary>Blobs out of an archive.</summary>
internal sealed class ArchiveBlobSource(
    IArchive archive,
    IReadOnlyDictionary<string, string> files,
    ContentStore content,
    KeyedLock locks) : IBlobSource
{
    public async Task FetchAsync(Descriptor blob, Action<long> received, CancellationToken cancellationToken)
    {
        using var entered = await locks.EnterAsync(blob.Digest, cancellationToken);
        if (!content.Exists(blob.Digest))
        {
            await archive.StoreAsync(files[blob.Digest], blob, content, cancellationToken);
            received(blob.Size);
        }
    }
}
