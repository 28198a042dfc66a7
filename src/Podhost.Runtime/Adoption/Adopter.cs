using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Sandboxes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Adoption;

/// <summary>Takes over what an earlier run left: an ordinary start, whether the last end was clean or not.</summary>
internal sealed partial class Adopter(
    RuntimeContext context,
    WorldObserver observer,
    SandboxManager sandboxes,
    ContainerStarter starter,
    ContainerRemover remover,
    ExitRecorder exits,
    InfraLauncher launcher,
    SandboxFiles files,
    ILogger<Adopter> logger)
{
    internal async Task AdoptAsync(CancellationToken cancellationToken)
    {
        Processes.ExecLeftovers.Clean(context.Paths.Bundles);
        var (sandboxRecords, brokenSandboxes) = context.State.SandboxStore.Load();
        var (containerRecords, brokenContainers) = context.State.ContainerStore.Load();
        await context.Network.PrepareAsync(
            [.. sandboxRecords.Where(record => record is { Address: not null, NetworkReleased: false })
                .Select(record => new Network.ExistingAttachment(record.Id, [record.Address!, .. record.AdditionalAddresses ?? []], [.. record.Config.PortMappings]))],
            cancellationToken);
        var broken = brokenSandboxes.Concat(brokenContainers).ToList();
        EndHalfStarts(containerRecords);
        var world = await observer.ObserveAsync(sandboxRecords, containerRecords, broken, cancellationToken);
        var plan = AdoptionDecider.Decide(sandboxRecords, containerRecords, world);
        foreach (var (record, action) in plan.Sandboxes)
        {
            Adopt(record, action);
        }

        foreach (var (record, action) in plan.Containers)
        {
            await AdoptAsync(new Container(record), action, world, cancellationToken);
        }

        // Containers first: they lie in the sandboxes' namespaces.
        foreach (var (record, _) in plan.Sandboxes.Where(entry => entry.Action == SandboxAction.Discard))
        {
            await sandboxes.DiscardAsync(context.State.FindSandbox(record.Id)!);
        }

        await CleanOrphansAsync(plan, broken, cancellationToken);
        if (plan.Sandboxes.Count + plan.Containers.Count + plan.Orphans.Count > 0)
        {
            LogAdopted(plan.Sandboxes.Count(entry => entry.Action == SandboxAction.Keep), plan.Containers.Count(entry => entry.Action == ContainerAction.Adopt), plan.Orphans.Count);
        }
    }

    // A start that has not come to a process yet counts as failed: what works on it would make the container later, beside its successor.
    private void EndHalfStarts(IEnumerable<ContainerRecord> records)
    {
        foreach (var record in records.Where(record => record.Phase == ContainerPhase.Starting && observer.ProcessesOf(record) is null))
        {
            Processes.StartLeftovers.End(context.Paths.Bundle(record.Id));
        }
    }

    private void Adopt(SandboxRecord record, SandboxAction action)
    {
        var sandbox = new Sandbox(record);
        context.State.Adopt(sandbox);
        if (action == SandboxAction.MarkNotReady)
        {
            context.State.Save(sandbox, record with { Phase = SandboxPhase.NotReady });
        }
        else if (action == SandboxAction.Keep && record.Phase == SandboxPhase.Ready)
        {
            sandboxes.Watch(sandbox);
        }
    }

    private async Task AdoptAsync(Container container, ContainerAction action, ObservedWorld world, CancellationToken cancellationToken)
    {
        var record = container.Record;
        context.State.Adopt(container);
        container.Set(record); // An ended one completes its Exited.
        switch (action)
        {
            case ContainerAction.Adopt:
                AdoptRunning(container);
                break;
            case ContainerAction.FinishStart:
                await FinishStartAsync(container, cancellationToken);
                break;
            case ContainerAction.RecordExit:
                await exits.RecordExitAsync(container);
                break;
            case ContainerAction.MarkLost:
                exits.Record(container, ExitRecorder.Lost(record, context.Now, "the container ended while podhost did not run"));
                break;
            case ContainerAction.Discard:
                await remover.DiscardAsync(container);
                break;
            default:
                break;
        }
    }

    private void AdoptRunning(Container container)
    {
        if (container.Record.Phase == ContainerPhase.Starting && observer.ProcessesOf(container.Record) is { } processes)
        {
            starter.SetRunning(container, processes);
        }
        else
        {
            exits.Watch(container);
        }
    }

    private async Task FinishStartAsync(Container container, CancellationToken cancellationToken)
    {
        try
        {
            await starter.FinishAsync(container, observer.ProcessesOf(container.Record)!, cancellationToken);
        }
        catch (RpcException failure)
        {
            exits.Record(container, ExitRecorder.Lost(container.Record, context.Now, failure.Status.Detail));
        }
    }

    private async Task CleanOrphansAsync(AdoptionPlan plan, List<string> broken, CancellationToken cancellationToken)
    {
        foreach (var id in plan.Orphans)
        {
            LogOrphan(id);
            await TryAsync(id, () => CleanOrphanAsync(id, cancellationToken));
        }

        foreach (var id in plan.NetworkOrphans)
        {
            await TryAsync(id, () => context.Network.TearDownAsync(id, cancellationToken));
        }

        foreach (var id in broken)
        {
            context.State.SandboxStore.Delete(id);
            context.State.ContainerStore.Delete(id);
        }
    }

    // What stays is tried again at the next start.
    private async Task TryAsync(string id, Func<Task> cleaning)
    {
        try
        {
            await cleaning();
        }
        catch (Exception failure) when (failure is IOException or RpcException)
        {
            LogOrphanStays(failure, id);
        }
    }

    private async Task CleanOrphanAsync(string id, CancellationToken cancellationToken)
    {
        await context.Handlers.Standard.DeleteAsync(id, cancellationToken);
        await context.Network.TearDownAsync(id, cancellationToken);
        launcher.Unpin(id);
        files.Remove(id);
        context.MappedMounts.Remove(id);
        await context.Rootfs.RemoveRootfsAsync(id, cancellationToken);
        if (Directory.Exists(context.Paths.Bundle(id)))
        {
            Directory.Delete(context.Paths.Bundle(id), recursive: true);
        }

        File.Delete(context.Paths.ExitFile(id));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Adopted {Sandboxes} sandboxes and {Containers} running containers; cleaned {Orphans} leftovers")]
    private partial void LogAdopted(int sandboxes, int containers, int orphans);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Id} belongs to no sandbox or container: cleaned")]
    private partial void LogOrphan(string id);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Id} belongs to no sandbox or container and could not be cleaned")]
    private partial void LogOrphanStays(Exception failure, string id);
}
