using Podhost.Runtime.Images.Content;
using Podhost.Runtime.Snapshots;

namespace Podhost.Runtime.Images;

/// <summary>Deletes layers and blobs that no image record, pull or root file system needs.</summary>
internal sealed class ImageCollector(ContentStore content, LayerStore layers, ImageRecords records, Holds holds)
{
    private readonly SemaphoreSlim _collecting = new(1, 1);

    public async Task CollectAsync(CancellationToken cancellationToken)
    {
        await _collecting.WaitAsync(cancellationToken);
        try
        {
            holds.CollectUnheld(isHeld =>
            {
                // Read inside: an image that was recorded before its pull's hold ended is in this snapshot.
                var images = records.Snapshot.Values.ToList();
                var liveLayers = images.SelectMany(image => image.ChainIds).ToHashSet();
                foreach (var chainId in layers.List().Where(id => !liveLayers.Contains(id) && !isHeld(Holds.Layer(id))).ToList())
                {
                    layers.Discard(chainId);
                }

                var liveBlobs = images.SelectMany(image => (string[])[image.Id, image.ManifestDigest]).ToHashSet();
                foreach (var digest in content.List().Where(digest => !liveBlobs.Contains(digest) && !isHeld(digest)).ToList())
                {
                    content.Delete(digest);
                }
            });
            await Task.Run(() => layers.EmptyTrash(cancellationToken), cancellationToken);
        }
        finally
        {
            _collecting.Release();
        }
    }
}
