using Podhost.Kubelet.Volumes.Handlers;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Linux.Processes;

namespace Podhost.Kubelet.Volumes;

/// <summary>
/// File systems on block devices, made where a device holds nothing at all. A device that several pods use is mounted once for each: the kernel shares
/// what is behind. Source: upstream's mount-utils, FormatAndMount.
/// </summary>
internal sealed class DeviceFileSystems(IMounter mounter)
{
    private const string Default = "ext4";
    private const int NothingFound = 2;

    // Two pods must not find the same device empty.
    private readonly SemaphoreSlim _gate = new(1, 1);

    /// <summary>Mounts the file system of a device.</summary>
    /// <param name="device">Path of the device.</param>
    /// <param name="target">Where; made where it is missing.</param>
    /// <param name="type">The type that the device must have or gets; null: the one that it has, else ext4.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="VolumeSetUpException">The device holds something else, or a program or the kernel refused.</exception>
    public async Task MountAsync(string device, string target, string? type, CancellationToken cancellationToken)
    {
        var wanted = string.IsNullOrEmpty(type) ? null : type;
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var found = await FindAsync(device, cancellationToken).ConfigureAwait(false);
            if (found is null)
            {
                found = wanted ?? Default;
                await FormatAsync(device, found, cancellationToken).ConfigureAwait(false);
            }

            if (wanted is not null && wanted != found)
            {
                throw new VolumeSetUpException($"failed to mount the volume as \"{wanted}\", it already contains {found}");
            }

            Directory.CreateDirectory(target);
            mounter.Mount(device, target, found, MountFlags.None, null);
        }
        catch (LinuxException e)
        {
            throw new VolumeSetUpException($"mount of \"{device}\" failed: {e.Message}");
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The type of what a device holds; null: nothing.</summary>
    private static async Task<string?> FindAsync(string device, CancellationToken cancellationToken)
    {
        var result = await RunAsync("blkid", ["-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device], cancellationToken).ConfigureAwait(false);
        if (result.ExitCode == NothingFound)
        {
            return null;
        }

        var values = result.Output.Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => pair[1]);
        return result.ExitCode != 0 ? throw new VolumeSetUpException($"could not determine what {device} holds: {result.Error.Trim()}")
            : values["PTTYPE"].Any() ? throw new VolumeSetUpException($"{device} has a partition table: it is not formatted")
            : values["TYPE"].FirstOrDefault();
    }

    private static async Task FormatAsync(string device, string type, CancellationToken cancellationToken)
    {
        string[] options = type is "ext3" or "ext4" ? ["-F", "-m0"] : [];
        var result = await RunAsync("mkfs." + type, [.. options, device], cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0)
        {
            throw new VolumeSetUpException($"format of {device} as {type} failed: {result.Error.Trim()}");
        }
    }

    private static Task<ProgramResult> RunAsync(string program, string[] arguments, CancellationToken cancellationToken) => ProgramFinder.Find(program) is { } path
        ? ProgramRunner.RunAsync(new SpawnRequest(path, arguments) { Environment = [ProcessSpawner.DefaultPath] }, null, cancellationToken)
        : throw new VolumeSetUpException($"{program} is not installed on this node");
}
