using System.Runtime.InteropServices;

namespace Podhost.Linux.Native;

/// <summary>A system call failed.</summary>
public sealed class LinuxException : IOException
{
    /// <summary>Describes a failed call.</summary>
    /// <param name="errno">The error number of the call.</param>
    /// <param name="operation">What was tried, with its operands: <c>mount overlay on /x</c>.</param>
    public LinuxException(int errno, string operation)
        : base($"{operation}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})", errno) => Errno = errno;

    /// <summary>The error number, one of <see cref="Native.Errno"/>.</summary>
    public int Errno { get; }

    internal static LinuxException Last(string operation) => new(Marshal.GetLastPInvokeError(), operation);

    internal static void ThrowIf(bool failed, string operation)
    {
        if (failed)
        {
            throw Last(operation);
        }
    }
}
