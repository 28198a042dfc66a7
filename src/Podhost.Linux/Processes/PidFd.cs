using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;

namespace Podhost.Linux.Processes;

/// <summary>A handle of a process that can never come to mean another one.</summary>
public sealed class PidFd : IDisposable
{
    private readonly SafeFileHandle _handle;

    private PidFd(SafeFileHandle handle, int pid) => (_handle, Pid) = (handle, pid);

    /// <summary>The process id.</summary>
    public int Pid { get; }

    /// <summary>Opens a process; null when there is none of this id.</summary>
    /// <param name="pid">The process id.</param>
    public static PidFd? Open(int pid)
    {
        var descriptor = Libc.syscall(SystemCalls.PidfdOpen, pid, 0, 0, 0, 0);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.ESRCH ? null : throw LinuxException.Last($"open process {pid}");
        }

        return new PidFd(new SafeFileHandle((nint)descriptor, true), pid);
    }

    /// <summary>Opens a process that was seen before; null when that one is gone, though its id may be in use again.</summary>
    /// <param name="process">The process.</param>
    public static PidFd? Open(ProcessIdentity process)
    {
        ArgumentNullException.ThrowIfNull(process);
        var handle = Open(process.Pid);
        if (handle is null || ProcessIdentity.Read(process.Pid) == process)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Sends a signal. False when the process is gone.</summary>
    /// <param name="signal">The signal's number.</param>
    public bool Signal(int signal)
    {
        if (Libc.syscall(SystemCalls.PidfdSendSignal, _handle.DangerousGetHandle(), signal, 0, 0, 0) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == Errno.ESRCH ? false : throw LinuxException.Last($"signal process {Pid}");
    }

    /// <summary>Completes when the process has ended (a zombie counts as ended).</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => DescriptorPoller.Shared.WaitReadableAsync(_handle, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
