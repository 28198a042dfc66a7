using System.Text;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Mounts;

/// <summary>
/// Mounts that show a tree with other owners: what belongs to user n on the disk belongs to the user that n stands for in a user namespace
/// (mount_setattr(2) with MOUNT_ATTR_IDMAP, Linux 5.12; which file systems can depends on the kernel: ext4, xfs and btrfs early, tmpfs since 6.3).
/// </summary>
public static unsafe class IdMappedMount
{
    private const int AtFdCwd = -100;
    private const int AtRecursive = 0x8000;
    private const int AtEmptyPath = 0x1000;
    private const int OpenTreeClone = 1;
    private const int OpenTreeCloseOnExec = 0x80000;
    private const int MoveFromEmptyPath = 4;
    private const ulong AttrIdMap = 0x100000;

    /// <summary>Shows a tree or file at a second place, with owners mapped.</summary>
    /// <param name="source">What to show.</param>
    /// <param name="target">Where; must exist and be of the same kind.</param>
    /// <param name="userNamespace">The file of a user namespace, whose mappings count; null to map nothing.</param>
    /// <param name="recursive">With the mounts below it, whose owners are not mapped.</param>
    /// <exception cref="LinuxException">EINVAL often means that the file system of the source cannot do it.</exception>
    public static void Bind(string source, string target, string? userNamespace, bool recursive)
    {
        var flags = OpenTreeClone | OpenTreeCloseOnExec | (recursive ? AtRecursive : 0);
        using var tree = OpenTree(source, flags);
        if (userNamespace is not null)
        {
            using var users = Descriptors.OpenReadOnly(userNamespace);
            var attributes = stackalloc ulong[4] { AttrIdMap, 0, 0, (ulong)Descriptors.Number(users) };
            fixed (byte* empty = "\0"u8)
            {
                var result = Libc.syscall(SystemCalls.MountSetattr, Descriptors.Number(tree), (nint)empty, AtEmptyPath, (nint)attributes, 4 * sizeof(ulong));
                LinuxException.ThrowIf(result != 0, $"map the owners of {source}");
            }
        }

        fixed (byte* empty = "\0"u8)
        fixed (byte* to = Encoding.UTF8.GetBytes(target + '\0'))
        {
            var result = Libc.syscall(SystemCalls.MoveMount, Descriptors.Number(tree), (nint)empty, AtFdCwd, (nint)to, MoveFromEmptyPath);
            LinuxException.ThrowIf(result != 0, $"mount {source} on {target}");
        }
    }

    private static SafeFileHandle OpenTree(string source, int flags)
    {
        fixed (byte* from = Encoding.UTF8.GetBytes(source + '\0'))
        {
            var tree = Libc.syscall(SystemCalls.OpenTree, AtFdCwd, (nint)from, flags, 0, 0);
            LinuxException.ThrowIf(tree < 0, $"open the tree {source}");
            return new SafeFileHandle(tree, ownsHandle: true);
        }
    }
}
