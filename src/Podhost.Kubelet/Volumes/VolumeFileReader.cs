using System.Text;
using k8s.Models;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes;

/// <summary>Reads small files that containers left in a volume, without being led out of it.</summary>
internal sealed class VolumeFileReader(PodPaths paths)
{
    /// <summary>The text of a file, or null where it is not there.</summary>
    /// <exception cref="IOException">It is no regular file, too large, or outside of the volume.</exception>
    public string? Read(V1Pod pod, string volumeName, string path, int maxBytes)
    {
        var volume = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == volumeName);
        var root = volume is null ? null : VolumeLocation.Of(paths, pod.Metadata.Uid, volume);
        if (root is null || !Directory.Exists(root))
        {
            return null;
        }

        using var file = PathBeneath.TryOpenFile(root, path);
        if (file is null)
        {
            return null;
        }

        // The file may grow while it is read: the buffer bounds it, not its length.
        var buffer = new byte[maxBytes + 1];
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= maxBytes
            ? Encoding.UTF8.GetString(buffer, 0, length)
            : throw new IOException($"{path} is larger than {maxBytes} bytes");
    }
}
