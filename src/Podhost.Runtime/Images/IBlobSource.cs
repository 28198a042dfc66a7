namespace Podhost.Runtime.Images;

/// <summary>Where an image's content comes from: a registry or an archive.</summary>
internal interface IBlobSource
{
    /// <summary>Brings a blob, verified, into the content store. Received gets the count of bytes that are here so far.</summary>
    Task FetchAsync(Descriptor blob, Action<long> received, CancellationToken cancellationToken);
}
