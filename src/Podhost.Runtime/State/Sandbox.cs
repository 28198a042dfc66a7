using Podhost.Cri.V1;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.State;

/// <summary>A sandbox in memory: one swapped record and the lock of its transitions.</summary>
internal sealed class Sandbox(SandboxRecord record)
{
    private volatile SandboxRecord _record = record;

    internal string Id => _record.Id;

    internal SandboxRecord Record => _record;

    /// <summary>Held by whoever changes the record.</summary>
    internal SemaphoreSlim Gate { get; } = new(1, 1);

    internal ProcessIdentity? Infra => _record.InfraPid == 0 ? null : new ProcessIdentity(_record.InfraPid, _record.InfraStartTime);

    internal PodSandboxState State => _record.Phase == SandboxPhase.Ready ? PodSandboxState.SandboxReady : PodSandboxState.SandboxNotready;

    /// <summary>Shown to clients: not before RunPodSandbox is done, not once it is being removed.</summary>
    internal bool IsVisible => _record.Phase is SandboxPhase.Ready or SandboxPhase.NotReady;

    internal void Set(SandboxRecord record) => _record = record;
}
