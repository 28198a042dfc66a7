using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Images;

internal sealed class ImageCatalog(ImageRecords records) : IImageCatalog
{
    public LocalImage? Find(string image) => ImageNames.Find(records.Snapshot, image);

    public IReadOnlyList<LocalImage> List() => [.. records.Snapshot.Values];
}
