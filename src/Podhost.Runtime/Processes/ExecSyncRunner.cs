using Google.Protobuf;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Processes;

/// <summary>Runs a command in a container to its end, or kills it at its deadline.</summary>
internal sealed class ExecSyncRunner(RuntimeContext context)
{
    /// <summary>What CRI's gRPC messages can carry; more output is read and dropped, so that the command does not hang.</summary>
    private const int MaxOutputBytes = 16 << 20;

    // A killed command's children that have left its tree may hold the pipes open.
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(2);

    internal async Task<ExecSyncResponse> RunAsync(ExecSyncRequest request, CancellationToken cancellationToken)
    {
        if (request.Cmd.Count == 0)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "cmd: Required value"));
        }

        var container = context.State.GetContainer(request.ContainerId);
        using var session = ExecSession.Start(context, container, request.Cmd, stdin: false);
        var output = new BoundedCapture(MaxOutputBytes);
        var error = new BoundedCapture(MaxOutputBytes);
        var draining = Task.WhenAll(output.DrainAsync(session.Stdout), error.DrainAsync(session.Stderr!));
        var ending = session.WaitAsync();
        if (!await EndsInTimeAsync(ending, request.Timeout, cancellationToken))
        {
            session.Kill();
            await Quietly(ending);
            cancellationToken.ThrowIfCancellationRequested();
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"command {string.Join(' ', request.Cmd)} timed out after {request.Timeout}s: the process was killed"));
        }

        await Quietly(draining.WaitAsync(DrainTime, context.Time, CancellationToken.None));
        return new ExecSyncResponse { ExitCode = await CodeAsync(ending, error), Stdout = output.Bytes(), Stderr = error.Bytes() };
    }

    private static async Task<int> CodeAsync(Task<int> ending, BoundedCapture error)
    {
        try
        {
            return await ending;
        }
        catch (RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, "failed to exec in container: " + OciRuntime.Explain(error.Bytes().ToStringUtf8())));
        }
    }

    private async Task<bool> EndsInTimeAsync(Task ending, long seconds, CancellationToken cancellationToken)
    {
        try
        {
            await (seconds > 0
                ? ending.WaitAsync(TimeSpan.FromSeconds(seconds), context.Time, cancellationToken)
                : ending.WaitAsync(cancellationToken));
            return true;
        }
        catch (Exception failure) when (failure is TimeoutException or OperationCanceledException)
        {
            return false;
        }
        catch (RpcException)
        {
            return true;
        }
    }

    private static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception failure) when (failure is RpcException or TimeoutException or IOException or ObjectDisposedException)
        {
            // The caller reports its own reason.
        }
    }

    private sealed class BoundedCapture(int limit)
    {
        private readonly MemoryStream _kept = new();

        internal async Task DrainAsync(Stream stream)
        {
            var buffer = new byte[32 * 1024];
            int count;
            while ((count = await stream.ReadAsync(buffer, CancellationToken.None)) > 0)
            {
                lock (_kept)
                {
                    _kept.Write(buffer.AsSpan(0, (int)Math.Min(count, limit - _kept.Length)));
                }
            }
        }

        internal ByteString Bytes()
        {
            lock (_kept)
            {
                return ByteString.CopyFrom(_kept.GetBuffer(), 0, (int)_kept.Length);
            }
        }
    }
}
