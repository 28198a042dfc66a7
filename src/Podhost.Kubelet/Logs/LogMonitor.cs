using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Podhost.Kubelet.Logs;

/// <summary>
/// Looks at the sizes of running containers' logs every few seconds, as upstream does: an event per write of a busy container would cost more
/// than the look.
/// </summary>
/// <param name="rotator">Rotates one.</param>
/// <param name="running">ID and log of each running container; from memory.</param>
/// <param name="workers">containerLogMaxWorkers: how many logs are rotated at once.</param>
/// <param name="interval">containerLogMonitorInterval.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Failures.</param>
internal sealed partial class LogMonitor(
    LogRotator rotator, Func<IReadOnlyList<(string Id, string Log)>> running, int workers, TimeSpan interval, TimeProvider time, ILogger logger)
{
    /// <summary>Rotates until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken };
        while (true)
        {
            await Task.Delay(interval, time, cancellationToken).ConfigureAwait(false);
            await Parallel.ForEachAsync(running(), atOnce, (c, ct) => RotateAsync(c.Id, c.Log, ct)).ConfigureAwait(false);
        }
    }

    private async ValueTask RotateAsync(string id, string log, CancellationToken cancellationToken)
    {
        try
        {
            await rotator.RotateAsync(id, log, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is (IOException or UnauthorizedAccessException or RpcException))
        {
            // Looked at again after the interval: a container that has ended meanwhile is not among the running then.
            LogFailed(logger, log, id, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Rotating the log {Log} of container {Id} failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string log, string id, string error);
}
