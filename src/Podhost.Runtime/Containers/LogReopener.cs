using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Polling;
using Podhost.Runtime.Streaming;

namespace Podhost.Runtime.Containers;

/// <summary>Makes conmon open a container's log anew after a rotation.</summary>
internal sealed class LogReopener(RuntimeContext context)
{
    private const string ReopenCommand = "2 0 0\n";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The new file exists when this returns.</summary>
    internal async Task ReopenAsync(string id, CancellationToken cancellationToken)
    {
        var container = context.State.GetContainer(id);
        if (container.State != ContainerState.ContainerRunning)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {container.Id} is not running"));
        }

        if (container.Record.LogPath is not { } path)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = context.Time.CreateTimer(_ => limit.Cancel(), null, Patience, Timeout.InfiniteTimeSpan);
        try
        {
            using var watcher = new DirectoryWatcher(Path.GetDirectoryName(path)!, includeCreated: true);
            ConmonAttachment.Control(context.Paths.Bundle(container.Id), ReopenCommand);
            await using var names = watcher.ReadAsync(limit.Token).GetAsyncEnumerator(limit.Token);
            while (!File.Exists(path) && await names.MoveNextAsync())
            {
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"conmon did not reopen {path} in {Patience.TotalSeconds} s"));
        }
        catch (IOException failure)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"reopen the log: {failure.Message}"));
        }
    }
}
