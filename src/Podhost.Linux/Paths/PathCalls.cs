using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Linux.Paths;

/// <summary>The system calls of this folder.</summary>
internal static unsafe partial class PathCalls
{
    internal const int AtFdCwd = -100;
    internal const int AtNoFollow = 0x100;
    internal const int AtEmptyPath = 0x1000;
    internal const int Directory = 0x10000;
    internal const int NoFollow = 0x20000;
    internal const int CloseOnExec = 0x80000;
    internal const int PathOnly = 0x200000;
    internal const int NonBlock = 0x800;
    internal const ulong ResolveNoMagicLinks = 2;
    internal const ulong ResolveBeneath = 8;

    // The same number on every architecture that Linux added it to.
    private const nint Openat2Number = 437;

    /// <summary>openat2(2); the flags close on exec by themselves.</summary>
    internal static int OpenAt2(SafeFileHandle directory, string path, int flags, ulong resolve)
    {
        var how = stackalloc ulong[3] { (ulong)(uint)(flags | CloseOnExec), 0, resolve };
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            return (int)Syscall(Openat2Number, directory.DangerousGetHandle(), name, how, 3 * sizeof(ulong));
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int OpenAt(SafeFileHandle directory, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MkdirAt(SafeFileHandle directory, string path, uint mode);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int Fchmod(SafeFileHandle file, uint mode);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Chmod(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Lchown(string path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatxAt(int directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint directory, byte* path, ulong* how, nuint size);
}
