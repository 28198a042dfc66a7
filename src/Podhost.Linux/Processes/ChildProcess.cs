using System.Runtime.InteropServices;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;

namespace Podhost.Linux.Processes;

/// <summary>A process that this one started. Waited for by its own id alone, never by wait(-1): other code has children too.</summary>
public sealed class ChildProcess
{
    private const int NoHang = 1;
    private readonly Lazy<Task<int>> _exit;

    internal ChildProcess(int pid)
    {
        Pid = pid;
        var handle = PidFd.Open(pid) ?? throw new LinuxException(Errno.ESRCH, $"open process {pid}");
        _exit = new Lazy<Task<int>>(() => ReapAsync(handle));
    }

    /// <summary>The process id; ours until the exit is collected.</summary>
    public int Pid { get; }

    /// <summary>The exit code, 128 + the signal for a killed process, as shells count. Collects the process (no zombie).</summary>
    public Task<int> Exit => _exit.Value;

    /// <summary>Sends a signal. Idempotent: an ended process is no error.</summary>
    /// <param name="signal">The signal's number.</param>
    public void Signal(int signal)
    {
        if (!(_exit.IsValueCreated && _exit.Value.IsCompleted))
        {
            _ = Libc.kill(Pid, signal);
        }
    }

    private async Task<int> ReapAsync(PidFd handle)
    {
        using (handle)
        {
            while (true)
            {
                await handle.WaitForExitAsync(CancellationToken.None);
                if (TryReap() is { } code)
                {
                    return code;
                }
            }
        }
    }

    private unsafe int? TryReap()
    {
        int status;
        var result = Libc.waitpid(Pid, &status, NoHang);
        if (result < 0 && Marshal.GetLastPInvokeError() is not Errno.EINTR)
        {
            throw LinuxException.Last($"wait for process {Pid}");
        }

        return result == Pid ? Code(status) : null;
    }

    private static int Code(int status)
    {
        var signal = status & 0x7f;
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    }
}
