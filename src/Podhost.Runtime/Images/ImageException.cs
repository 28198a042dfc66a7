namespace Podhost.Runtime.Images;

/// <summary>Why an image operation failed; mapped to gRPC codes at the CRI surface.</summary>
internal enum ImageError
{
    /// <summary>The registry or this node does not have it.</summary>
    NotFound,

    /// <summary>The registry refused the credentials, or wants some.</summary>
    Denied,

    /// <summary>The registry cannot be reached or fails.</summary>
    Unavailable,

    /// <summary>The request, the manifest, a digest or a layer is not acceptable.</summary>
    Invalid,

    /// <summary>A bound is exceeded: sizes, entries, depth.</summary>
    TooLarge,
}

/// <summary>A failure whose message is fit for a Pod's events.</summary>
internal sealed class ImageException(ImageError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public ImageError Error { get; } = error;

    /// <summary>The same failure with the operation before it, as Go wraps errors: "outer: inner".</summary>
    public ImageException Wrap(string operation) => new(Error, $"{operation}: {Message}", this);
}
