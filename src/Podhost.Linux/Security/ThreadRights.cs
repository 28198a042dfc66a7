using Podhost.Linux.Native;

namespace Podhost.Linux.Security;

/// <summary>Rights of the calling thread; a process that it starts inherits them.</summary>
public static unsafe class ThreadRights
{
    private const int SetNoNewPrivileges = 38;
    private const int DropBounding = 24;
    private const int LastCapability = 63;
    private const uint CapabilityVersion3 = 0x20080522;

    /// <summary>
    /// Takes every right from the calling thread: other user and group, no groups, no capability, none to be gained. By raw calls, since
    /// the C library would change the whole process.
    /// </summary>
    /// <param name="uid">The user.</param>
    /// <param name="gid">The group.</param>
    public static void DropAll(uint uid, uint gid)
    {
        for (nuint capability = 0; capability <= LastCapability; capability++)
        {
            if (Libc.prctl(DropBounding, capability, 0, 0, 0) != 0)
            {
                break; // EINVAL: past the kernel's last one.
            }
        }

        Check(Libc.syscall(SystemCalls.SetGroups, 0, 0, 0, 0, 0), "drop the groups");
        Check(Libc.syscall(SystemCalls.SetResGid, (nint)gid, (nint)gid, (nint)gid, 0, 0), $"become group {gid}");
        Check(Libc.syscall(SystemCalls.SetResUid, (nint)uid, (nint)uid, (nint)uid, 0, 0), $"become user {uid}");
        var header = stackalloc uint[2] { CapabilityVersion3, 0 };
        var data = stackalloc uint[6] { 0, 0, 0, 0, 0, 0 };
        Check(Libc.syscall(SystemCalls.CapSet, (nint)header, (nint)data, 0, 0, 0), "drop the capabilities");
        Check(Libc.prctl(SetNoNewPrivileges, 1, 0, 0, 0), "forbid new privileges");
    }

    private static void Check(nint result, string operation) => LinuxException.ThrowIf(result != 0, operation);
}
