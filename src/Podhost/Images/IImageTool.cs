namespace Podhost.Images;

/// <summary>What <c>podhost image</c> does, on the images of a running instance or directly on its directory.</summary>
internal interface IImageTool : IAsyncDisposable
{
    /// <summary>Pulls an image from its registry; returns its id.</summary>
    Task<IReadOnlyList<string>> PullAsync(string reference, Action<ImageStep> progress, CancellationToken cancellationToken);

    /// <summary>Loads the images of an archive or layout; returns their names (ids where they have none).</summary>
    Task<IReadOnlyList<string>> LoadAsync(string path, string? name, Action<ImageStep> progress, CancellationToken cancellationToken);

    /// <summary>All images.</summary>
    Task<IReadOnlyList<ImageLine>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Removes an image by name or id.</summary>
    Task RemoveAsync(string reference, CancellationToken cancellationToken);
}

/// <summary>A step of a pull or load.</summary>
/// <param name="Phase">What happens: resolving, downloading, unpacking, ready or done.</param>
/// <param name="Digest">The layer; empty for the image as a whole.</param>
/// <param name="Current">Bytes received.</param>
/// <param name="Total">Bytes in all.</param>
internal sealed record ImageStep(string Phase, string Digest, long Current, long Total);

/// <summary>An image in a listing.</summary>
/// <param name="Id">Config digest.</param>
/// <param name="Names">Tags and digests.</param>
/// <param name="Size">Bytes.</param>
internal sealed record ImageLine(string Id, IReadOnlyList<string> Names, long Size);

/// <summary>One line of a running pull or load on the control socket: a step, the end, or a failure.</summary>
/// <param name="Step">A step.</param>
/// <param name="Done">The outcome: names or ids.</param>
/// <param name="Error">Why it failed.</param>
internal sealed record ImageEvent(ImageStep? Step = null, IReadOnlyList<string>? Done = null, string? Error = null);

/// <summary>An image command that failed; the message is for the user.</summary>
internal sealed class ImageToolException(string message) : Exception(message);
