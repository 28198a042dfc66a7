using System.Diagnostics;
using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Linux.Processes;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Network;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Sandboxes;

/// <summary>The life of sandboxes: run, stop, remove, and the death of an infra process.</summary>
internal sealed partial class SandboxManager(
    RuntimeContext context, SandboxFiles files, InfraLauncher launcher, ContainerStopper stopper, ContainerRemover remover, ILogger<SandboxManager> logger)
{
    private readonly Lock _names = new();

    /// <summary>A sandbox that is ready. Nothing is left of it when this fails.</summary>
    internal async Task<string> RunAsync(RunPodSandboxRequest request, CancellationToken cancellationToken)
    {
        SandboxRequestRules.Check(request.Config);
        await CheckUsersAsync(request, cancellationToken);
        var sandbox = Reserve(request);
        await sandbox.Gate.WaitAsync(CancellationToken.None);
        try
        {
            var started = Stopwatch.GetTimestamp();
            await CreateAsync(sandbox, cancellationToken);
            LogReady(sandbox.Id, sandbox.Record.Config.Metadata.Name, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        catch
        {
            await DiscardAsync(sandbox);
            throw;
        }
        finally
        {
            sandbox.Gate.Release();
        }

        context.Publish(ContainerEventType.ContainerCreatedEvent, sandbox.Id, sandbox.Id);
        context.Publish(ContainerEventType.ContainerStartedEvent, sandbox.Id, sandbox.Id);
        return sandbox.Id;
    }

    /// <summary>Ends all containers at once, the infra process and the network. Idempotent.</summary>
    internal async Task StopAsync(string id, CancellationToken cancellationToken)
    {
        if (context.State.FindSandbox(id) is not { } sandbox)
        {
            return;
        }

        await Task.WhenAll(context.State.ContainersOf(sandbox.Id).Select(container => stopper.StopAsync(container, TimeSpan.Zero, cancellationToken)));
        await sandbox.Gate.WaitAsync(cancellationToken);
        try
        {
            await StopLockedAsync(sandbox, cancellationToken);
        }
        finally
        {
            sandbox.Gate.Release();
        }
    }

    /// <summary>Stops the sandbox, removes its containers and then all that is left of it. Idempotent.</summary>
    internal async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        if (context.State.FindSandbox(id) is not { } sandbox)
        {
            return;
        }

        await StopAsync(sandbox.Id, cancellationToken);
        await Task.WhenAll(context.State.ContainersOf(sandbox.Id).Select(container => remover.RemoveAsync(container, cancellationToken)));
        await sandbox.Gate.WaitAsync(cancellationToken);
        try
        {
            if (context.State.FindSandbox(sandbox.Id) is null)
            {
                return;
            }

            context.State.Save(sandbox, sandbox.Record with { Phase = SandboxPhase.Removing });
            await CleanAsync(sandbox.Record, cancellationToken);
            context.State.Forget(sandbox);
        }
        finally
        {
            sandbox.Gate.Release();
        }

        context.Publish(ContainerEventType.ContainerDeletedEvent, sandbox.Id, sandbox.Id);
    }

    /// <summary>Watches the infra process of a ready sandbox from now on.</summary>
    internal void Watch(Sandbox sandbox)
    {
        if (sandbox.Infra is { } infra)
        {
            _ = WatchAsync(sandbox, infra);
        }
    }

    /// <summary>Takes a half-made sandbox away again.</summary>
    internal async Task DiscardAsync(Sandbox sandbox)
    {
        try
        {
            await CleanAsync(sandbox.Record, CancellationToken.None);
            context.State.Forget(sandbox);
        }
        catch (Exception failure) when (failure is IOException or RpcException)
        {
            // It is shown as not ready, as containerd does: who asked for it removes it, which tries again.
            context.State.Save(sandbox, sandbox.Record with { Phase = SandboxPhase.NotReady });
            LogCleaningFailed(failure, sandbox.Id);
        }
    }

    private async Task CheckUsersAsync(RunPodSandboxRequest request, CancellationToken cancellationToken)
    {
        var runtime = context.Handlers.Get(request.RuntimeHandler);
        if (UserMapping.Of(request.Config.Linux?.SecurityContext?.NamespaceOptions?.UsernsOptions) is not null
            && await context.UserNamespaces.ProblemAsync(runtime, cancellationToken) is { } problem)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"user namespaces do not work on this node with {Path.GetFileName(runtime.Program)}: {problem}"));
        }
    }

    private Sandbox Reserve(RunPodSandboxRequest request)
    {
        var id = RandomNumberGenerator.GetHexString(64, lowercase: true);
        var parent = request.Config.Linux?.CgroupParent is { Length: > 0 } asked ? asked : context.Options.DefaultCgroupParent;
        var sandbox = new Sandbox(new SandboxRecord
        {
            Id = id,
            ConfigBytes = SandboxRecord.Pack(request.Config),
            RuntimeHandler = request.RuntimeHandler,
            CreatedAt = context.Now,
            CgroupParent = "/" + parent.Trim('/'),
        });
        lock (_names)
        {
            // Two sandboxes for one attempt would be one pod running twice.
            if (context.State.Sandboxes.FirstOrDefault(other => other.Record.Config.Metadata.Equals(request.Config.Metadata)) is { } twin)
            {
                throw new RpcException(new Status(StatusCode.AlreadyExists, $"attempt {request.Config.Metadata.Attempt} of pod {request.Config.Metadata.Name} is sandbox {twin.Id}"));
            }

            context.State.Add(sandbox);
        }

        return sandbox;
    }

    private async Task CreateAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        var record = sandbox.Record;
        var trace = new StepTrace(logger, record.Id);
        context.Cgroups.Create(record.CgroupPath);
        trace.Step("cgroup");
        var launching = record.Users is null ? launcher.LaunchAsync(record) : launcher.LaunchMappedAsync(record, cancellationToken);
        files.Create(record);
        var launch = await launching;
        if (launch.Infra is { } process)
        {
            record = Settle(sandbox, record with { InfraIsContainer = record.Users is not null }, process.Pid);
        }

        trace.Step("namespaces");
        using (launch.Inside)
        {
            if (launch.Inside is { } inside)
            {
                var request = new PodNetworkRequest(record.Id, launcher.Paths(record).Network!, inside, record.Config);
                var addresses = await context.Network.SetUpAsync(request, cancellationToken);
                record = record with { Address = addresses[0], AdditionalAddresses = addresses.Count > 1 ? [.. addresses.Skip(1)] : null };
                trace.Step("network");
            }
        }

        if (launch.Infra is null)
        {
            var infra = await launcher.StartContainerAsync(record, cancellationToken);
            record = record with { InfraPid = infra.Pid, InfraStartTime = infra.StartTime, InfraIsContainer = true };
            trace.Step("infra");
        }

        context.State.Save(sandbox, record with { Phase = SandboxPhase.Ready });
        Watch(sandbox);
    }

    // Known from here on, so that a failure of a later step finds it.
    private SandboxRecord Settle(Sandbox sandbox, SandboxRecord record, int pid)
    {
        if (context.Cgroups.IsV2)
        {
            context.Cgroups.AddProcess(record.CgroupPath, pid);
        }

        var infra = ProcessIdentity.Read(pid) ?? throw new RpcException(new Status(StatusCode.Internal, "the infra process ended at once"));
        record = record with { InfraPid = infra.Pid, InfraStartTime = infra.StartTime };
        sandbox.Set(record);
        return record;
    }

    private async Task StopLockedAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        var record = sandbox.Record;
        if (record.Phase is SandboxPhase.Creating or SandboxPhase.Removing || record.NetworkReleased)
        {
            return;
        }

        await KillInfraAsync(sandbox);
        await context.Network.TearDownAsync(record.Id, cancellationToken);
        launcher.Unpin(record.Id);
        files.ReleaseSharedMemory(record.Id);
        var wasReady = record.Phase == SandboxPhase.Ready;
        context.State.Save(sandbox, sandbox.Record with { Phase = SandboxPhase.NotReady, NetworkReleased = true });
        if (wasReady)
        {
            context.Publish(ContainerEventType.ContainerStoppedEvent, record.Id, record.Id);
        }
    }

    private static async Task KillInfraAsync(Sandbox sandbox)
    {
        if (sandbox.Infra is { } infra)
        {
            using var handle = PidFd.Open(infra);
            if (handle is not null && handle.Signal(Signals.Kill))
            {
                await handle.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    // Every step is idempotent: it also finishes what a crash interrupted.
    private async Task CleanAsync(SandboxRecord record, CancellationToken cancellationToken)
    {
        await KillInfraAsync(new Sandbox(record));
        context.Cgroups.Kill(record.CgroupPath);
        await context.Handlers.GetOrStandard(record.RuntimeHandler).DeleteAsync(record.Id, cancellationToken);
        await context.Network.TearDownAsync(record.Id, cancellationToken);
        launcher.Unpin(record.Id);
        files.Remove(record.Id);
        context.MappedMounts.Remove(record.Id);
        await context.Rootfs.RemoveRootfsAsync(record.Id, cancellationToken);
        if (Directory.Exists(context.Paths.Bundle(record.Id)))
        {
            Directory.Delete(context.Paths.Bundle(record.Id), recursive: true);
        }

        context.Cgroups.TryRemove(record.CgroupPath);
    }

    private async Task WatchAsync(Sandbox sandbox, ProcessIdentity infra)
    {
        try
        {
            using (var handle = PidFd.Open(infra))
            {
                await (handle?.WaitForExitAsync(context.Stopping) ?? Task.CompletedTask);
            }

            await OnInfraDeathAsync(sandbox, infra);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            // The next runtime watches it.
        }
        catch (Exception failure)
        {
            LogWatchFailed(failure, sandbox.Id);
        }
    }

    private async Task OnInfraDeathAsync(Sandbox sandbox, ProcessIdentity infra)
    {
        await sandbox.Gate.WaitAsync(context.Stopping);
        try
        {
            context.Stopping.ThrowIfCancellationRequested();
            if (sandbox.Record.Phase != SandboxPhase.Ready || sandbox.Infra != infra)
            {
                return; // Stopped by us.
            }

            context.State.Save(sandbox, sandbox.Record with { Phase = SandboxPhase.NotReady });
        }
        finally
        {
            sandbox.Gate.Release();
        }

        LogInfraDied(sandbox.Id, infra.Pid);
        context.Publish(ContainerEventType.ContainerStoppedEvent, sandbox.Id, sandbox.Id);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Id} of pod {Pod} is ready after {Milliseconds} ms")]
    private partial void LogReady(string id, string pod, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The infra process {Pid} of sandbox {Id} died: the sandbox is not ready")]
    private partial void LogInfraDied(string id, int pid);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sandbox {Id} was not cleaned up: it stays, not ready, until it is removed")]
    private partial void LogCleaningFailed(Exception failure, string id);

    [LoggerMessage(Level = LogLevel.Error, Message = "The infra process of sandbox {Id} is not watched any more")]
    private partial void LogWatchFailed(Exception failure, string id);
}
