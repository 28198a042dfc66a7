using Podhost.Linux.Processes;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Processes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Adoption;

/// <summary>Looks at what an earlier run left on the machine.</summary>
internal sealed class WorldObserver(RuntimeContext context, ExitRecorder exits)
{
    internal async Task<ObservedWorld> ObserveAsync(
        IReadOnlyList<SandboxRecord> sandboxes, IReadOnlyList<ContainerRecord> containers, IEnumerable<string> broken, CancellationToken cancellationToken)
    {
        var ended = new Dictionary<string, (int, long)>(StringComparer.Ordinal);
        var interrupted = new Dictionary<string, OciStatus>(StringComparer.Ordinal);
        foreach (var record in containers.Where(record => record.HasProcess))
        {
            if (exits.ReadExit(record.Id) is { } exit)
            {
                ended[record.Id] = exit;
            }
            else if (record.Phase == ContainerPhase.Starting)
            {
                interrupted[record.Id] = await new OciRuntime(record.RuntimePath, context.Paths.OciState).StateAsync(record.Id, cancellationToken);
            }
        }

        return new ObservedWorld
        {
            LiveInfra = sandboxes.Where(record => Directory.Exists(context.Paths.SandboxDirectory(record.Id)) && IsAlive(record.InfraPid, record.InfraStartTime)).Select(record => record.Id).ToHashSet(StringComparer.Ordinal),
            LiveContainers = containers.Where(record => Directory.Exists(context.Paths.Bundle(record.Id)) && ProcessesOf(record) is { } found && ProcessIdentity.Read(found.Container.Pid) == found.Container).Select(record => record.Id).ToHashSet(StringComparer.Ordinal),
            Exits = ended,
            Interrupted = interrupted,
            Traces = Traces().Concat(broken).ToHashSet(StringComparer.Ordinal),
            NetworkTraces = context.Network.Problem is null ? context.Network.Attachments().ToHashSet(StringComparer.Ordinal) : new HashSet<string>(),
        };
    }

    /// <summary>The processes of a container: from its record, or from what conmon left when a start was interrupted; null for none.</summary>
    internal ConmonResult? ProcessesOf(ContainerRecord record)
    {
        if (record.Phase != ContainerPhase.Starting)
        {
            return record.Pid == 0 ? null : new ConmonResult(new(record.Pid, record.StartTime), new(record.ConmonPid, record.ConmonStartTime));
        }

        var bundle = context.Paths.Bundle(record.Id);
        var container = ProcessIdentity.Read(Conmon.ReadPid(Path.Combine(bundle, Conmon.PidFile)));
        var monitor = ProcessIdentity.Read(Conmon.ReadPid(Path.Combine(bundle, Conmon.MonitorPidFile)));
        return container is null || monitor is null ? null : new ConmonResult(container, monitor);
    }

    private static bool IsAlive(int pid, ulong startTime) => pid != 0 && ProcessIdentity.Read(pid) == new ProcessIdentity(pid, startTime);

    private IEnumerable<string> Traces()
    {
        var paths = context.Paths;
        string[] directories = [paths.NetworkNamespaces, paths.UtsNamespaces, paths.IpcNamespaces, paths.UserNamespaces, paths.Mapped, paths.SandboxFiles, paths.Bundles, paths.OciState, paths.Exits];
        return directories.SelectMany(Directory.EnumerateFileSystemEntries).Select(path => Path.GetFileName(path))
            .Concat(context.Rootfs.List());
    }
}
