using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Runtime.Processes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Containers;

/// <summary>Removes containers and all that belongs to them, except the log, which is the kubelet's.</summary>
internal sealed partial class ContainerRemover(RuntimeContext context, ContainerStopper stopper, ILogger<ContainerRemover> logger)
{
    /// <summary>Idempotent; a running container is killed first.</summary>
    internal async Task RemoveAsync(State.Container container, CancellationToken cancellationToken)
    {
        await stopper.StopAsync(container, TimeSpan.Zero, cancellationToken);
        await container.Gate.WaitAsync(cancellationToken);
        try
        {
            if (context.State.FindContainer(container.Id) is null)
            {
                return;
            }

            context.State.Save(container, container.Record with { Phase = ContainerPhase.Removing });
            await CleanAsync(container, cancellationToken);
            context.State.Forget(container);
        }
        finally
        {
            container.Gate.Release();
        }

        context.Publish(ContainerEventType.ContainerDeletedEvent, container.Id, container.Record.SandboxId);
    }

    /// <summary>Takes a half-made container away again.</summary>
    internal async Task DiscardAsync(State.Container container)
    {
        try
        {
            await CleanAsync(container, CancellationToken.None);
            context.State.Forget(container);
        }
        catch (Exception failure) when (failure is IOException or RpcException)
        {
            // The record stays in its phase: the next start tries again.
            LogCleaningFailed(failure, container.Id);
        }
    }

    // Every step is idempotent: it also finishes what a crash interrupted.
    private async Task CleanAsync(State.Container container, CancellationToken cancellationToken)
    {
        var record = container.Record;
        if (container.Cleared is { } clearing)
        {
            await clearing.WaitAsync(cancellationToken);
        }

        context.Cgroups.Kill(record.CgroupPath);
        await new OciRuntime(record.RuntimePath, context.Paths.OciState).DeleteAsync(record.Id, cancellationToken);
        context.Cgroups.TryRemove(record.CgroupPath);
        context.MappedMounts.Remove(record.Id);
        foreach (var key in record.ImageMountKeys.Prepend(record.Id))
        {
            await context.Rootfs.RemoveRootfsAsync(key, cancellationToken);
        }

        if (Directory.Exists(context.Paths.Bundle(record.Id)))
        {
            Directory.Delete(context.Paths.Bundle(record.Id), recursive: true);
        }

        File.Delete(context.Paths.ExitFile(record.Id));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Container {Id} was not cleaned up: tried again at the next start")]
    private partial void LogCleaningFailed(Exception failure, string id);
}
