using System.Text;
using k8s.Models;

namespace Podhost.Kubelet.Volumes.Payloads;

/// <summary>Files from the keys of a ConfigMap or Secret: all of them, or the listed ones at their paths.</summary>
internal static class KeyedPayload
{
    /// <summary>The data of a ConfigMap by key.</summary>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Data(V1ConfigMap map)
    {
        var result = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var (key, text) in map.Data ?? new Dictionary<string, string>())
        {
            result[key] = Encoding.UTF8.GetBytes(text);
        }

        foreach (var (key, bytes) in map.BinaryData ?? new Dictionary<string, byte[]>())
        {
            result[key] = bytes;
        }

        return result;
    }

    /// <summary>The data of a Secret by key.</summary>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Data(V1Secret secret) =>
        (secret.Data ?? new Dictionary<string, byte[]>()).ToDictionary(e => e.Key, e => (ReadOnlyMemory<byte>)e.Value, StringComparer.Ordinal);

    /// <summary>The files.</summary>
    /// <param name="data">Content by key.</param>
    /// <param name="items">Which keys go where; none: every key under its own name.</param>
    /// <param name="defaults">Mode and owner of files that name none.</param>
    /// <param name="optional">A listed key may be missing.</param>
    /// <param name="missing">Start of the message about one that may not.</param>
    /// <exception cref="PayloadException">A listed key is missing.</exception>
    public static Dictionary<string, PayloadFile> Files(
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> data, IList<V1KeyToPath>? items, FileDefaults defaults, bool optional, string missing)
    {
        if (items is not { Count: > 0 })
        {
            return data.ToDictionary(e => e.Key, e => new PayloadFile(e.Value, defaults.Mode, defaults.User), StringComparer.Ordinal);
        }

        var result = new Dictionary<string, PayloadFile>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (data.TryGetValue(item.Key, out var content))
            {
                result[item.Path] = new PayloadFile(content, item.Mode ?? defaults.Mode, item.User ?? defaults.User);
            }
            else if (!optional)
            {
                throw new PayloadException($"{missing}: {item.Key}");
            }
        }

        return result;
    }
}

/// <summary>Mode and owner of files that name none.</summary>
internal readonly record struct FileDefaults(int Mode, long? User)
{
    private const int Readable = 0x1a4; // 0644

    public static FileDefaults Of(int? mode, long? user) => new(mode ?? Readable, user);
}
