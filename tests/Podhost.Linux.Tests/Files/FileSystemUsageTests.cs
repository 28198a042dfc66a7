using Podhost.Linux.Files;
using Podhost.Linux.Polling;

namespace Podhost.Linux.Tests.Files;

public sealed class FileSystemUsageTests
{
    [Fact]
    public void A_file_system_tells_its_size_and_its_device()
    {
        var directory = Directory.CreateTempSubdirectory().FullName;
        var usage = FileSystemUsage.Read(directory);
        Assert.Equal(new DriveInfo(directory).TotalSize, usage.TotalBytes);
        Assert.InRange(usage.AvailableBytes, 0, usage.FreeBytes);
        Assert.InRange(usage.FreeBytes, 0, usage.TotalBytes);
        Assert.InRange(usage.InodesFree, 0, usage.Inodes);
        Assert.Equal(usage.Device, FileSystemUsage.Read("/" + Path.GetRelativePath("/", directory)).Device);
        Assert.NotEqual(usage.Device, FileSystemUsage.Read("/proc").Device);
        Directory.Delete(directory);
        Assert.Throws<Podhost.Linux.Native.LinuxException>(() => FileSystemUsage.Read(directory));
    }

    [Fact]
    public async Task A_trigger_for_memory_stall_waits_and_is_taken_away()
    {
        Assert.SkipUnless(File.Exists("/proc/pressure/memory"), "this kernel has no pressure stall information");
        using var stall = MemoryStall.TryOpen(TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(2));
        Assert.SkipWhen(stall is null, "this process may not set triggers");
        using var stop = new CancellationTokenSource();
        var wait = stall!.WaitAsync(stop.Token);
        Assert.False(wait.IsFaulted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }
}
