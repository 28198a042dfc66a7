using System.Globalization;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes;

/// <summary>Volumes in memory. Where the kernel can (6.4), they never go to swap.</summary>
internal sealed class TmpfsMounts(IMounter mounter)
{
    /// <summary>The kernel's own mode of a tmpfs (01777), which a kubelet leaves as it is: everyone may write, nobody may take away what is another's.</summary>
    public const int EveryoneMode = 0x3ff;

    private volatile bool _noSwapUnknown;

    /// <summary>Mounts a tmpfs where none is yet.</summary>
    /// <param name="path">The directory; made where it is missing.</param>
    /// <param name="mode">Permissions of its root.</param>
    /// <param name="sizeBytes">Most that may be in it, or null for the kernel's default (half of the memory).</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void Ensure(string path, int mode, long? sizeBytes)
    {
        Directory.CreateDirectory(path);
        if (PathStatus.Read(path)?.IsMountRoot == true)
        {
            return;
        }

        var options = $"mode={Convert.ToString(mode, 8)}";
        if (sizeBytes is > 0)
        {
            options += ",size=" + sizeBytes.Value.ToString(CultureInfo.InvariantCulture);
        }

        if (!_noSwapUnknown)
        {
            try
            {
                mounter.Mount("tmpfs", path, "tmpfs", MountFlags.None, options + ",noswap");
                return;
            }
            catch (LinuxException e) when (e.Errno == Errno.EINVAL)
            {
                _noSwapUnknown = true;
            }
        }

        mounter.Mount("tmpfs", path, "tmpfs", MountFlags.None, options);
    }

    /// <summary>Mounts a file system of huge pages where none is yet; how many it may use the pod's cgroup says.</summary>
    /// <exception cref="LinuxException">The kernel refused: it has no pages of this size.</exception>
    public void EnsureHugePages(string path, int mode, long pageBytes)
    {
        Directory.CreateDirectory(path);
        if (PathStatus.Read(path)?.IsMountRoot != true)
        {
            mounter.Mount("nodev", path, "hugetlbfs", MountFlags.None, string.Create(CultureInfo.InvariantCulture, $"mode={Convert.ToString(mode, 8)},pagesize={pageBytes}"));
        }
    }
}
