namespace Podhost.Runtime.Images;

/// <summary>The images of this node, for the container side of the runtime.</summary>
public interface IImageCatalog
{
    /// <summary>
    /// Finds an image by its id ("sha256:…" or the bare hex), by a reference with tag or digest, or by a short name that
    /// <see cref="ImageReference"/> completes; null when it is not on this node or the name is no valid reference.
    /// </summary>
    LocalImage? Find(string image);

    /// <summary>All images.</summary>
    IReadOnlyList<LocalImage> List();
}
