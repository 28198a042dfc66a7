using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Linux.Files;

/// <summary>Owner, permissions and times of an open file.</summary>
public static unsafe class FileMetadata
{
    /// <summary>Sets owner, then permissions (a change of owner clears setuid), of a file that is open for writing.</summary>
    /// <exception cref="FileSystemException">A call failed.</exception>
    public static void SetOwnerAndPermissions(SafeFileHandle file, uint uid, uint gid, int permissions)
    {
        Check(FileSyscalls.Fchown(file, uid, gid), "fchown");
        Check(FileSyscalls.Fchmod(file, (uint)permissions), "fchmod");
    }

    /// <summary>Sets access and modification time.</summary>
    /// <exception cref="FileSystemException">The call failed.</exception>
    public static void SetTimes(SafeFileHandle file, long seconds, int nanoseconds)
    {
        var times = stackalloc FileSyscalls.Timespec[2];
        times[0] = times[1] = new FileSyscalls.Timespec { Seconds = (nint)seconds, Nanoseconds = nanoseconds };
        Check(FileSyscalls.Futimens(file, times), "futimens");
    }

    private static void Check(int result, string operation)
    {
        if (result < 0)
        {
            throw new FileSystemException(operation, Marshal.GetLastPInvokeError());
        }
    }
}
