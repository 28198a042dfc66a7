namespace Podhost.Runtime.Images;

/// <summary>Takes in images that were built or saved elsewhere, without a registry.</summary>
public interface IImageLoader
{
    /// <summary>
    /// Loads every image of a file or directory: `docker save` archives, OCI archives and OCI layouts, compressed or not. Images
    /// that are there already only get the names.
    /// </summary>
    /// <param name="path">A tar file or a directory.</param>
    /// <param name="name">The name of an image that carries none; also replaces the names when the archive has one image. May be null.</param>
    /// <param name="cancellationToken">Cancels; images that were complete stay.</param>
    /// <returns>The images in the archive's order.</returns>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: no image archive, or a damaged one; NotFound: nothing at the path.</exception>
    Task<IReadOnlyList<LocalImage>> LoadAsync(string path, string? name, CancellationToken cancellationToken);
}
