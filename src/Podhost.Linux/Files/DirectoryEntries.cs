using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Podhost.Linux.Files;

/// <summary>The entries of an open directory as bytes: .NET's own enumeration loses names that are not UTF-8.</summary>
internal static unsafe class DirectoryEntries
{
    private static readonly nint SysGetdents64 = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 217,
        Architecture.Arm64 => 61,
        var other => throw new PlatformNotSupportedException($"no system call numbers for {other}"),
    };

    /// <summary>Reads all names, each with the ending NUL, without "." and "..".</summary>
    /// <exception cref="FileSystemException">The directory cannot be read.</exception>
    public static List<byte[]> Read(DirectoryHandle directory)
    {
        var names = new List<byte[]>();
        var buffer = new byte[32 * 1024];
        while (true)
        {
            nint length;
            fixed (byte* p = buffer)
            {
                length = FileSyscalls.Getdents64(SysGetdents64, directory.Handle, p, (nuint)buffer.Length);
            }

            if (length == 0)
            {
                return names;
            }

            if (length < 0)
            {
                throw new FileSystemException("getdents", Marshal.GetLastPInvokeError());
            }

            Parse(buffer.AsSpan(0, (int)length), names);
        }
    }

    // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
    private static void Parse(ReadOnlySpan<byte> records, List<byte[]> names)
    {
        while (records.Length > 0)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(records[16..]);
            var name = records[19..length];
            name = name[..(name.IndexOf((byte)0) + 1)];
            if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
            {
                names.Add(name.ToArray());
            }

            records = records[length..];
        }
    }
}
