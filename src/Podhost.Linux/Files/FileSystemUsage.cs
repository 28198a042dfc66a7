using System.Runtime.InteropServices;
using Podhost.Linux.Native;
using Podhost.Linux.Paths;

namespace Podhost.Linux.Files;

/// <summary>What statfs(2) says about the file system of a path.</summary>
/// <param name="TotalBytes">Its size.</param>
/// <param name="AvailableBytes">What others than root may still write.</param>
/// <param name="FreeBytes">What nobody has written.</param>
/// <param name="Inodes">How many files it can have; 0 where it sets no limit.</param>
/// <param name="InodesFree">How many more it can have.</param>
/// <param name="Device">Number of its device: equal for two paths on one file system.</param>
public readonly record struct FileSystemUsage(long TotalBytes, long AvailableBytes, long FreeBytes, long Inodes, long InodesFree, ulong Device)
{
    // struct statfs of 64-bit Linux: f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree.
    private const int BufferSize = 256;

    /// <summary>Reads it.</summary>
    /// <exception cref="LinuxException">The path is not there or cannot be read.</exception>
    public static unsafe FileSystemUsage Read(string path)
    {
        var buffer = stackalloc byte[BufferSize];
        LinuxException.ThrowIf(Libc.statfs(path, buffer) != 0, $"read the file system of {path}");
        var fields = MemoryMarshal.Cast<byte, long>(new ReadOnlySpan<byte>(buffer, BufferSize));
        var (block, device) = (fields[1], PathStatus.Read(path)?.Device ?? 0);
        return new FileSystemUsage(fields[2] * block, fields[4] * block, fields[3] * block, fields[5], fields[6], device);
    }
}
