using Podhost.Cri.V1;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.State;

/// <summary>A container in memory: one swapped record and the lock of its transitions.</summary>
internal sealed class Container(ContainerRecord record)
{
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ContainerRecord _record = record;

    internal string Id => _record.Id;

    internal ContainerRecord Record => _record;

    /// <summary>Held by whoever changes the record.</summary>
    internal SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Completes when the end of its process is recorded.</summary>
    internal Task Exited => _exited.Task;

    /// <summary>What is left of an ended process (OCI state, cgroup) is being or has been cleared away; null before the end.</summary>
    internal Task? Cleared { get; set; }

    internal ProcessIdentity? Process => _record.Pid == 0 ? null : new ProcessIdentity(_record.Pid, _record.StartTime);

    internal ProcessIdentity? Conmon => _record.ConmonPid == 0 ? null : new ProcessIdentity(_record.ConmonPid, _record.ConmonStartTime);

    internal bool IsVisible => _record.Phase is not (ContainerPhase.Creating or ContainerPhase.Removing);

    internal ContainerState State => _record.Phase switch
    {
        ContainerPhase.Creating or ContainerPhase.Created or ContainerPhase.Starting => ContainerState.ContainerCreated,
        ContainerPhase.Running => ContainerState.ContainerRunning,
        ContainerPhase.Exited => ContainerState.ContainerExited,
        _ => ContainerState.ContainerUnknown,
    };

    internal void Set(ContainerRecord record)
    {
        _record = record;
        if (record.Phase is ContainerPhase.Exited or ContainerPhase.Removing)
        {
            _exited.TrySetResult();
        }
    }
}
