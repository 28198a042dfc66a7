namespace Podhost.Runtime.Images.Loading;

/// <summary>An image found in an archive: its manifest, the files behind its blobs, and the names that it carries.</summary>
internal sealed record ArchivedImage(
    ManifestDocument Manifest,
    string? TopDigest,
    IReadOnlyDictionary<string, string> FilesByDigest,
    IReadOnlyList<string> Names);
