using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Linux.Paths;
using Podhost.Runtime.Processes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Containers;

/// <summary>Starts created containers: conmon and the OCI runtime's create, then its start.</summary>
internal sealed partial class ContainerStarter(RuntimeContext context, ExitRecorder exits, ILogger<ContainerStarter> logger)
{
    private const int StartFailedCode = 128;
    private const string NullDevice = "/dev/null";
    private const string StartError = "StartError";

    internal async Task StartAsync(string id, CancellationToken cancellationToken)
    {
        var container = context.State.GetContainer(id);
        await container.Gate.WaitAsync(cancellationToken);
        try
        {
            CheckStartable(container);
            await StartLockedAsync(container);
            // Before the gate opens for a stop event.
            context.Publish(ContainerEventType.ContainerStartedEvent, container.Id, container.Record.SandboxId);
        }
        finally
        {
            container.Gate.Release();
        }
    }

    /// <summary>Finishes what a crash interrupted between create and start.</summary>
    internal async Task FinishAsync(State.Container container, ConmonResult processes, CancellationToken cancellationToken)
    {
        KeepNullDevice(container);
        await Runtime(container).StartAsync(container.Id, cancellationToken);
        SetRunning(container, processes);
    }

    private void CheckStartable(State.Container container)
    {
        if (container.Record.Phase != ContainerPhase.Created)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {container.Id} is {container.Record.Phase}, not Created"));
        }

        if (context.State.FindSandbox(container.Record.SandboxId)?.State != PodSandboxState.SandboxReady)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"sandbox {container.Record.SandboxId} is not ready"));
        }
    }

    // Not cancelled half-way: a client that leaves would leave a container that is neither.
    private async Task StartLockedAsync(State.Container container)
    {
        var trace = new StepTrace(logger, container.Id);
        var (record, config) = (container.Record, container.Record.Config);
        context.State.Save(container, record with { Phase = ContainerPhase.Starting });
        try
        {
            var processes = await context.Conmon.CreateAsync(
                new ConmonRequest(record.Id, context.Paths.Bundle(record.Id), Runtime(container), context.Paths.Exits)
                {
                    LogPath = record.LogPath,
                    Terminal = config.Tty,
                    Stdin = config.Stdin,
                    KeepStdin = config.Stdin && !config.StdinOnce,
                },
                CancellationToken.None);
            trace.Step("create");
            KeepNullDevice(container);
            await Runtime(container).StartAsync(record.Id, CancellationToken.None);
            trace.Step("start");
            SetRunning(container, processes);
        }
        catch (Exception failure) when (failure is RpcException or IOException)
        {
            Fail(container, failure is RpcException rpc ? rpc.Status.Detail : failure.Message);
            throw;
        }
    }

    internal void SetRunning(State.Container container, ConmonResult processes)
    {
        context.State.Save(container, container.Record with
        {
            Phase = ContainerPhase.Running,
            StartedAt = context.Now,
            Pid = processes.Container.Pid,
            StartTime = processes.Container.StartTime,
            ConmonPid = processes.Monitor.Pid,
            ConmonStartTime = processes.Monitor.StartTime,
        });
        exits.Watch(container);
    }

    private void Fail(State.Container container, string message)
    {
        LogStartFailed(container.Id, message);
        var now = context.Now;
        exits.Record(container, container.Record with
        {
            Phase = ContainerPhase.Exited,
            StartedAt = now,
            FinishedAt = now,
            ExitCode = StartFailedCode,
            Reason = StartError,
            Message = message,
        });
    }

    // conmon's stdin is the machine's /dev/null, and crun gives its streams to root of the user namespace: taken back before the program runs.
    private void KeepNullDevice(State.Container container)
    {
        if (context.State.FindSandbox(container.Record.SandboxId)?.Record.Users is not null && PathStatus.Read(NullDevice) is not { Uid: 0, Gid: 0 })
        {
            PathOwnership.SetOwner(NullDevice, 0, 0);
        }
    }

    private OciRuntime Runtime(State.Container container) => new(container.Record.RuntimePath, context.Paths.OciState);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Container {Id} could not be started: {Reason}")]
    private partial void LogStartFailed(string id, string reason);
}
