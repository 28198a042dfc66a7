using Grpc.Core;
using Podhost.Linux.Processes;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Containers;

/// <summary>Stops containers: the stop signal, the grace period, then a kill. Several calls may run at once; the shortest grace wins.</summary>
internal sealed class ContainerStopper(RuntimeContext context)
{
    // A killed process ends at once unless it waits for a device.
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(30);

    /// <summary>Idempotent. DeadlineExceeded when even a kill does not end the process.</summary>
    internal async Task StopAsync(Container container, TimeSpan grace, CancellationToken cancellationToken)
    {
        // A start that is under way is waited for: it ends by itself.
        await container.Gate.WaitAsync(cancellationToken);
        container.Gate.Release();
        if (!container.Record.HasProcess)
        {
            return;
        }

        if (grace > TimeSpan.Zero)
        {
            Signal(container, container.Record.StopSignal);
            if (await EndsWithinAsync(container, grace, cancellationToken))
            {
                return;
            }
        }

        Kill(container);
        if (!await EndsWithinAsync(container, KillPatience, cancellationToken))
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"container {container.Id} does not end, though it was killed"));
        }
    }

    private async Task<bool> EndsWithinAsync(Container container, TimeSpan time, CancellationToken cancellationToken)
    {
        try
        {
            await container.Exited.WaitAsync(time, context.Time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static void Signal(Container container, int signal)
    {
        using var handle = container.Process is { } process ? PidFd.Open(process) : null;
        handle?.Signal(signal);
    }

    // The first process of a PID namespace takes all others with it. In a shared one they are found by the cgroup.
    private void Kill(Container container)
    {
        Signal(container, Signals.Kill);
        if (!container.Record.OwnPidNamespace)
        {
            context.Cgroups.Kill(container.Record.CgroupPath);
        }
    }
}
