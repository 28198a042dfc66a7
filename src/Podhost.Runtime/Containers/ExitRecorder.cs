using System.Globalization;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;
using Podhost.Runtime.Processes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Containers;

/// <summary>
/// Records how containers end. The word is conmon's, by the exit directory; the process itself is watched too, for the case that conmon
/// dies before it.
/// </summary>
internal sealed partial class ExitRecorder(RuntimeContext context, ILogger<ExitRecorder> logger)
{
    /// <summary>The exit code of a container whose own was lost, as containerd reports it.</summary>
    internal const int UnknownCode = 255;

    private const string UnknownReason = "Unknown";
    private const string OomKilledReason = "OOMKilled";
    private const string CompletedReason = "Completed";
    private const string ErrorReason = "Error";

    /// <summary>Records every exit that the directory reports, until cancelled.</summary>
    internal async Task RunAsync(DirectoryWatcher exits, CancellationToken cancellationToken)
    {
        await foreach (var name in exits.ReadAsync(cancellationToken))
        {
            if (context.State.FindContainer(name) is { } container && container.Id == name)
            {
                await RecordExitAsync(container);
            }
        }
    }

    /// <summary>Watches the process of a running container from now on.</summary>
    internal void Watch(State.Container container) => _ = WatchAsync(container);

    /// <summary>Records the exit of a container if its exit file is there and it is not recorded yet.</summary>
    internal async Task RecordExitAsync(State.Container container)
    {
        await container.Gate.WaitAsync(CancellationToken.None);
        try
        {
            if (container.Record.HasProcess && ReadExit(container.Id) is var (code, finishedAt))
            {
                Record(container, Ended(container.Record, code, finishedAt, OomKilled(container.Record)));
            }
        }
        finally
        {
            container.Gate.Release();
        }
    }

    /// <summary>Records an end. The gate is held. What is left of the process is cleared away in the background.</summary>
    internal void Record(State.Container container, ContainerRecord ended)
    {
        // Durable: a lost exit code would run a finished job again.
        context.State.Save(container, ended, durable: true);
        container.Cleared = ClearAsync(container);
        context.Publish(ContainerEventType.ContainerStoppedEvent, container.Id, container.Record.SandboxId);
    }

    /// <summary>The exit that conmon recorded; null for none.</summary>
    internal (int Code, long FinishedAt)? ReadExit(string id)
    {
        var file = context.Paths.ExitFile(id);
        return File.Exists(file) && int.TryParse(File.ReadAllText(file).AsSpan().Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code)
            ? (code, RuntimeContext.UnixNanoseconds(File.GetLastWriteTimeUtc(file)))
            : null;
    }

    /// <summary>A record after its end. Pure.</summary>
    internal static ContainerRecord Ended(ContainerRecord record, int code, long finishedAt, bool oomKilled) => record with
    {
        Phase = ContainerPhase.Exited,
        ExitCode = code,
        StartedAt = record.StartedAt == 0 ? finishedAt : record.StartedAt,
        FinishedAt = Math.Max(finishedAt, record.StartedAt),
        // The killer may take a child that the program does without.
        Reason = oomKilled && code != 0 ? OomKilledReason : code == 0 ? CompletedReason : ErrorReason,
    };

    /// <summary>A record whose end nobody saw. Pure.</summary>
    internal static ContainerRecord Lost(ContainerRecord record, long now, string message) => record with
    {
        Phase = ContainerPhase.Exited,
        ExitCode = UnknownCode,
        StartedAt = record.StartedAt == 0 ? now : record.StartedAt,
        FinishedAt = now,
        Reason = UnknownReason,
        Message = message,
    };

    // conmon's own word comes from an event that may still be in its queue when it records the exit; the kernel's count is sure.
    private bool OomKilled(ContainerRecord record) =>
        File.Exists(Path.Combine(context.Paths.Bundle(record.Id), "oom")) || CgroupUsage.OomKills(context.Cgroups, record.CgroupPath) > 0;

    private async Task WatchAsync(State.Container container)
    {
        try
        {
            await EndOf(container.Process);
            // conmon writes the exit file and ends; or it was killed, and the code went to init.
            await Task.WhenAny(container.Exited, EndOf(container.Conmon));
            context.Stopping.ThrowIfCancellationRequested();
            await RecordExitAsync(container);
            await RecordLostAsync(container);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            // The next runtime watches it.
        }
        catch (Exception failure)
        {
            LogWatchFailed(failure, container.Id);
        }
    }

    private async Task RecordLostAsync(State.Container container)
    {
        await container.Gate.WaitAsync(CancellationToken.None);
        try
        {
            if (container.Record.HasProcess)
            {
                LogLost(container.Id);
                Record(container, Lost(container.Record, context.Now, "conmon ended before the container: the exit code is not known"));
            }
        }
        finally
        {
            container.Gate.Release();
        }
    }

    private async Task ClearAsync(State.Container container)
    {
        await Task.Yield();
        try
        {
            var record = container.Record;
            // A container in a shared PID namespace leaves children behind.
            context.Cgroups.Kill(record.CgroupPath);
            await new OciRuntime(record.RuntimePath, context.Paths.OciState).DeleteAsync(record.Id, CancellationToken.None);
            context.Cgroups.TryRemove(record.CgroupPath);
        }
        catch (Exception failure) when (failure is IOException or RpcException)
        {
            LogClearFailed(failure, container.Id); // Removal tries again and reports.
        }
    }

    private async Task EndOf(ProcessIdentity? process)
    {
        using var handle = process is null ? null : PidFd.Open(process);
        if (handle is not null)
        {
            await handle.WaitForExitAsync(context.Stopping);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The exit code of container {Id} is lost: conmon ended before it")]
    private partial void LogLost(string id);

    [LoggerMessage(Level = LogLevel.Error, Message = "Container {Id} is not watched any more")]
    private partial void LogWatchFailed(Exception failure, string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What the ended container {Id} left was not cleared away yet")]
    private partial void LogClearFailed(Exception failure, string id);
}
