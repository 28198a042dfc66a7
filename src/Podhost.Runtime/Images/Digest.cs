using System.Security.Cryptography;

namespace Podhost.Runtime.Images;

/// <summary>Content digests: "sha256:" and 64 lower-case hex digits. Other algorithms are refused, as nothing produces them.</summary>
internal static class Digest
{
    private const string Prefix = "sha256:";

    public static bool IsValid(string digest) =>
        digest.Length == Prefix.Length + 64
        && digest.StartsWith(Prefix, StringComparison.Ordinal)
        && digest.AsSpan(Prefix.Length).IndexOfAnyExcept("0123456789abcdef") < 0;

    public static string Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    public static string FromHash(ReadOnlySpan<byte> hash) => Prefix + Convert.ToHexStringLower(hash);

    /// <summary>The hex part: a safe file name, because every digest is checked where it enters.</summary>
    public static string Hex(string digest) =>
        IsValid(digest) ? digest[Prefix.Length..] : throw new ImageException(ImageError.Invalid, $"unsupported digest \"{digest}\"");
}
