namespace Podhost.Runtime.Images;

/// <summary>A reference to content (image-spec, descriptor.md).</summary>
internal sealed record Descriptor(string MediaType, string Digest, long Size, Platform? Platform = null);

/// <summary>What an image runs on, in Go's names.</summary>
internal sealed record Platform(string Os, string Architecture, string? Variant)
{
    public static Platform Host { get; } = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => new("linux", "amd64", null),
        System.Runtime.InteropServices.Architecture.Arm64 => new("linux", "arm64", "v8"),
        var other => throw new PlatformNotSupportedException($"no images for {other}"),
    };

    /// <summary>How well an image for the other platform runs here: 0 not at all, higher is better.</summary>
    public int Rank(Platform other) =>
        other.Os != Os || other.Architecture != Architecture ? 0
        : other.Variant is null or "" || other.Variant == Variant ? 3
        : Architecture == "amd64" && other.Variant == "v1" ? 2
        // Only the plain instruction set is promised by the kernel's name of the machine.
        : Architecture == "arm64" && other.Variant == "v8" ? 2 : 0;
}
