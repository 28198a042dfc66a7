using System.Runtime.InteropServices;
using System.Text;
using Podhost.Linux.Native;

namespace Podhost.Linux.Mounts;

/// <summary>Mounts by system calls.</summary>
public sealed unsafe class Mounter : IMounter
{
    private const int Detach = 2;
    private const int NoFollow = 8;
    private const int AtRecursive = 0x8000;
    private const int AtFdCwd = -100;
    private const ulong AttrReadOnly = 1;

    /// <inheritdoc/>
    public void Mount(string source, string target, string type, MountFlags flags, string? data) =>
        LinuxException.ThrowIf(Libc.mount(source, target, type, (nuint)flags, data) != 0, $"mount {type} {source} on {target}");

    /// <inheritdoc/>
    public void Bind(string source, string target, bool recursive) =>
        LinuxException.ThrowIf(
            Libc.mount(source, target, null, (nuint)(MountFlags.Bind | (recursive ? MountFlags.Recursive : 0)), null) != 0,
            $"bind {source} on {target}");

    /// <inheritdoc/>
    public void SetPropagation(string target, MountFlags propagation) =>
        LinuxException.ThrowIf(Libc.mount(null, target, null, (nuint)propagation, null) != 0, $"make {target} {propagation}");

    /// <inheritdoc/>
    public void SetReadOnlyRecursive(string target)
    {
        var attributes = stackalloc ulong[4] { AttrReadOnly, 0, 0, 0 };
        fixed (byte* path = Encoding.UTF8.GetBytes(target + '\0'))
        {
            var result = Libc.syscall(SystemCalls.MountSetattr, AtFdCwd, (nint)path, AtRecursive, (nint)attributes, 4 * sizeof(ulong));
            LinuxException.ThrowIf(result != 0, $"make {target} read-only with all below it");
        }
    }

    /// <inheritdoc/>
    public void Unmount(string target)
    {
        if (Libc.umount2(target, Detach | NoFollow) == 0)
        {
            return;
        }

        // EINVAL: not a mount point; ENOENT: not even a path. Both mean that the work is done.
        if (Marshal.GetLastPInvokeError() is not (Errno.EINVAL or Errno.ENOENT))
        {
            throw LinuxException.Last($"unmount {target}");
        }
    }
}
