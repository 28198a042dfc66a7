using System.Text;

namespace Podhost.Storage.Keys;

/// <summary>The rules of keys: UTF-8, ordered by their bytes, bounded.</summary>
internal static class StoreKey
{
    /// <summary>Longest key in bytes. Kubernetes' longest is a few hundred.</summary>
    internal const int MaxBytes = 4096;

    /// <summary>Longest value in bytes; above what the API server accepts (3 MiB bodies).</summary>
    internal const int MaxValueBytes = 16 * 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes of a key to write or read.</summary>
    /// <exception cref="ArgumentException">Empty, too long, starting with NUL (kept for the stores' own keys), or no valid Unicode.</exception>
    internal static byte[] Encode(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key[0] == '\0')
        {
            throw new ArgumentException("a key must not start with NUL", nameof(key));
        }

        return EncodePrefix(key);
    }

    /// <summary>The bytes of a prefix; may be empty.</summary>
    internal static byte[] EncodePrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        var bytes = Strict.GetBytes(prefix);
        return bytes.Length <= MaxBytes
            ? bytes
            : throw new ArgumentException($"a key must not be longer than {MaxBytes} bytes", nameof(prefix));
    }

    /// <summary>The key of bytes that a store returned.</summary>
    internal static string Decode(ReadOnlySpan<byte> bytes) => Strict.GetString(bytes);

    /// <summary>The first byte string after all that have the prefix; null where there is none (the prefix is empty or all 0xFF).</summary>
    internal static byte[]? PrefixEnd(ReadOnlySpan<byte> prefix)
    {
        var length = prefix.Length;
        while (length > 0 && prefix[length - 1] == 0xFF)
        {
            length--;
        }

        if (length == 0)
        {
            return null;
        }

        var end = prefix[..length].ToArray();
        end[^1]++;
        return end;
    }

    /// <summary>Checks a value's size.</summary>
    internal static void CheckValue(ReadOnlyMemory<byte> value)
    {
        if (value.Length > MaxValueBytes)
        {
            throw new ArgumentException($"a value must not be longer than {MaxValueBytes} bytes", nameof(value));
        }
    }
}
