using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Linux.Polling;

/// <summary>Tells when the machine's processes wait for memory: a trigger of the kernel's pressure stall information (Linux 5.2).</summary>
public sealed class MemoryStall : IDisposable
{
    private const string Path = "/proc/pressure/memory";
    private readonly SafeFileHandle _handle;

    private MemoryStall(SafeFileHandle handle) => _handle = handle;

    /// <summary>Sets a trigger; null where the kernel has no such information, or not for this process.</summary>
    /// <param name="stall">How long some process must have waited for memory.</param>
    /// <param name="window">Within which time: 500 ms to 10 s; without CAP_SYS_RESOURCE a multiple of 2 s.</param>
    public static MemoryStall? TryOpen(TimeSpan stall, TimeSpan window)
    {
        if (!File.Exists(Path))
        {
            return null;
        }

        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            var trigger = string.Create(CultureInfo.InvariantCulture, $"some {(long)stall.TotalMicroseconds} {(long)window.TotalMicroseconds}\0");
            RandomAccess.Write(handle, Encoding.ASCII.GetBytes(trigger), 0);
            return new MemoryStall(handle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            handle?.Dispose();
            return null;
        }
    }

    /// <summary>Completes when the stall was reached since the last wait.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => DescriptorPoller.Shared.WaitUrgentAsync(_handle, cancellationToken);

    /// <summary>Takes the trigger away.</summary>
    public void Dispose() => _handle.Dispose();
}
