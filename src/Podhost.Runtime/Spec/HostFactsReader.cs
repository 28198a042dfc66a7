using Podhost.Linux.Cgroups;
using Podhost.Linux.Files;
using Podhost.Linux.Security;

namespace Podhost.Runtime.Spec;

/// <summary>Looks at the machine once, at start.</summary>
internal static class HostFactsReader
{
    private const ulong MaxOpenFiles = 1048576;
    private const int CharacterDevice = 0x2000;
    private const int BlockDevice = 0x6000;
    private const int TypeMask = 0xF000;

    // The container gets these from the OCI runtime, in kinds of its own.
    private static readonly string[] Excluded = ["pts", "shm", "fd", "mqueue", "console", "ptmx", ".lxc", ".lxd-mounts", ".udev"];

    internal static HostFacts Read(CgroupTree cgroups)
    {
        var mayRaise = MachineLimits.MayRaiseLimits();
        return new HostFacts
        {
            CgroupMode = cgroups.Layout.Mode,
            Controllers = cgroups.Controllers,
            Capabilities = MachineLimits.EffectiveCapabilities(),
            HasAppArmor = MachineLimits.HasAppArmor(),
            // More than this only makes programs that close "all" descriptors slow.
            MaxOpenFiles = Math.Min(MaxOpenFiles, mayRaise ? MaxOpenFiles : MachineLimits.OpenFileLimit().Hard),
            MinOomScoreAdjust = mayRaise ? -1000 : MachineLimits.OomScoreAdjust(),
            Devices = Devices("/dev"),
            HasSwapAccounting = cgroups.IsV2 || File.Exists(cgroups.Directory("memory", "/memory.memsw.limit_in_bytes") ?? string.Empty),
        };
    }

    private static List<HostDevice> Devices(string directory)
    {
        var devices = new List<HostDevice>();
        using var handle = DirectoryHandle.Open(directory);
        foreach (var path in Directory.EnumerateFileSystemEntries(directory))
        {
            var name = Path.GetFileName(path);
            if (Excluded.Contains(name) || handle.Status(PathBytes.From(name)) is not { } status)
            {
                continue;
            }

            if (status.IsDirectory)
            {
                devices.AddRange(DevicesBelow(path));
            }
            else if ((status.Mode & TypeMask) is CharacterDevice or BlockDevice)
            {
                var type = (status.Mode & TypeMask) == BlockDevice ? 'b' : 'c';
                devices.Add(new HostDevice(path, type, status.DeviceMajor, status.DeviceMinor, (uint)status.Permissions, status.Uid, status.Gid));
            }
        }

        return devices;
    }

    private static List<HostDevice> DevicesBelow(string path)
    {
        try
        {
            return Devices(path);
        }
        catch (IOException)
        {
            return []; // Gone again: device nodes come and go.
        }
    }
}
