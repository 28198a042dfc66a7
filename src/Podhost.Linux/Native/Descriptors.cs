using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Linux.Native;

/// <summary>Owned file descriptors.</summary>
public static unsafe class Descriptors
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlock = 0x800;
    private const int SetFlags = 4;
    private const int GetFlags = 3;
    private const int DuplicateCloseOnExec = 1030;

    /// <summary>A pipe; both ends close on exec.</summary>
    public static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var ends = stackalloc int[2];
        LinuxException.ThrowIf(Libc.pipe2(ends, CloseOnExec) != 0, "create a pipe");
        return (new SafeFileHandle(ends[0], true), new SafeFileHandle(ends[1], true));
    }

    /// <summary>Opens a path read-only without reading it (for setns, mounts and sockets); closes on exec.</summary>
    /// <param name="path">What to open.</param>
    public static SafeFileHandle OpenReadOnly(string path) => Open(path, 0);

    /// <summary>Opens a FIFO for writing without waiting for a reader: fails with ENXIO when there is none.</summary>
    /// <param name="path">The FIFO.</param>
    public static SafeFileHandle OpenFifoForWriting(string path) => Open(path, 1 | NonBlock);

    /// <summary>A second descriptor of the same open file.</summary>
    /// <param name="handle">The descriptor to copy.</param>
    public static SafeFileHandle Duplicate(SafeHandle handle)
    {
        var copy = Libc.fcntl(Number(handle), DuplicateCloseOnExec, 3);
        LinuxException.ThrowIf(copy < 0, "duplicate a descriptor");
        return new SafeFileHandle(copy, true);
    }

    /// <summary>Makes reads and writes return instead of waiting.</summary>
    /// <param name="handle">The descriptor to change.</param>
    public static void SetNonBlocking(SafeHandle handle)
    {
        var flags = Libc.fcntl(Number(handle), GetFlags, 0);
        LinuxException.ThrowIf(flags < 0 || Libc.fcntl(Number(handle), SetFlags, flags | NonBlock) != 0, "make a descriptor non-blocking");
    }

    /// <summary>Writes all bytes to a descriptor, waiting where it must.</summary>
    /// <param name="handle">Where to write.</param>
    /// <param name="data">What to write.</param>
    public static void WriteAll(SafeHandle handle, ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            for (nint done = 0; done < data.Length;)
            {
                var written = Libc.write(Number(handle), start + done, (nuint)(data.Length - done));
                if (written < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR)
                {
                    continue;
                }

                LinuxException.ThrowIf(written < 0, "write to a descriptor");
                done += written;
            }
        }
    }

    internal static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();

    private static SafeFileHandle Open(string path, int flags)
    {
        var descriptor = Libc.open(path, flags | CloseOnExec, 0);
        LinuxException.ThrowIf(descriptor < 0, $"open {path}");
        return new SafeFileHandle(descriptor, true);
    }
}
