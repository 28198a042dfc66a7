using System.Runtime.InteropServices;

namespace Podhost.Linux.Files;

/// <summary>A failed file system call.</summary>
/// <param name="operation">The call and what it was applied to.</param>
/// <param name="errno">The error number.</param>
public sealed class FileSystemException(string operation, int errno)
    : IOException($"{operation}: {Marshal.GetPInvokeErrorMessage(errno)}")
{
    /// <summary>The error number.</summary>
    public int Errno { get; } = errno;
}
