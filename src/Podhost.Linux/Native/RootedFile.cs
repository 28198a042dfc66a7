using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Linux.Native;

/// <summary>Files inside a directory that is treated as the root: no link, absolute or with <c>..</c>, leads out of it (openat2, Linux 5.6).</summary>
public static unsafe class RootedFile
{
    private const nint OpenAt2 = 437;
    private const ulong ResolveInRoot = 0x10;
    private const ulong CloseOnExec = 0x80000;
    private const ulong NonBlock = 0x800;
    private const ulong PathOnly = 0x200000;

    /// <summary>The text of a small file; null when there is no regular file of this path.</summary>
    /// <param name="root">The directory that is the root.</param>
    /// <param name="path">The path inside.</param>
    /// <param name="maxBytes">A longer file is an <see cref="IOException"/>.</param>
    public static string? ReadText(string root, string path, int maxBytes)
    {
        // Non-blocking: a FIFO of that name must not hold us.
        using var handle = Open(root, path, CloseOnExec | NonBlock);
        if (handle is null)
        {
            return null;
        }

        using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        if (!stream.CanSeek)
        {
            return null;
        }

        if (stream.Length > maxBytes)
        {
            throw new IOException($"{path} in {root} is longer than {maxBytes} bytes");
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>The real path of a file or directory inside a root; null when it does not exist.</summary>
    /// <param name="root">The directory that is the root.</param>
    /// <param name="path">The path inside.</param>
    public static string? Resolve(string root, string path)
    {
        using var handle = Open(root, path, CloseOnExec | PathOnly);
        return handle is null ? null : File.ResolveLinkTarget($"/proc/self/fd/{Descriptors.Number(handle)}", returnFinalTarget: false)?.FullName;
    }

    private static SafeFileHandle? Open(string root, string path, ulong flags)
    {
        using var directory = Descriptors.OpenReadOnly(root);
        var how = stackalloc ulong[3] { flags, 0, ResolveInRoot };
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var descriptor = Libc.syscall(OpenAt2, Descriptors.Number(directory), (nint)name, (nint)how, 3 * sizeof(ulong), 0);
            if (descriptor >= 0)
            {
                return new SafeFileHandle(descriptor, true);
            }
        }

        var failure = LinuxException.Last($"open {path} in {root}");
        return failure.Errno is Errno.ENOENT or 20 or 40 ? null : throw failure; // ENOTDIR, ELOOP: no such file either.
    }
}
