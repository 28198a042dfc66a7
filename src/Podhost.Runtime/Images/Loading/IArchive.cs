using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Images.Loading;

/// <summary>The files of an image archive by their names in it.</summary>
internal interface IArchive : IDisposable
{
    bool Contains(string name);

    /// <summary>Reads a small file.</summary>
    /// <exception cref="ImageException">It is absent or larger than the limit.</exception>
    Task<byte[]> ReadAsync(string name, int limit, CancellationToken cancellationToken);

    /// <summary>The descriptor of a file's content.</summary>
    Task<Descriptor> DescribeAsync(string name, string mediaType, CancellationToken cancellationToken);

    /// <summary>Brings a file into the content store, where its digest must be the descriptor's.</summary>
    Task StoreAsync(string name, Descriptor descriptor, ContentStore content, CancellationToken cancellationToken);
}
