using Grpc.Core;

namespace Podhost.Cri.Server;

/// <summary>
/// Maps a service's outcome to gRPC: RpcException goes through, cancellation by the client is Cancelled, anything else is a defect
/// of the service and leaves as Internal with its message, because a kubelet's events are the only place where a user sees it.
/// </summary>
internal static class ServerCalls
{
    public static async Task<TResponse> CallAsync<TResponse>(Func<CancellationToken, Task<TResponse>> call, ServerCallContext context)
    {
        try
        {
            return await call(context.CancellationToken);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    public static async Task WriteAllAsync<TResponse>(
        IAsyncEnumerable<TResponse> responses,
        IServerStreamWriter<TResponse> writer,
        ServerCallContext context)
    {
        try
        {
            await foreach (var response in responses.WithCancellation(context.CancellationToken))
            {
                await writer.WriteAsync(response, context.CancellationToken);
            }
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    private static RpcException Translate(Exception e, ServerCallContext context) =>
        e is OperationCanceledException && context.CancellationToken.IsCancellationRequested
            ? new RpcException(new Status(StatusCode.Cancelled, "the call was cancelled", e))
            : new RpcException(new Status(StatusCode.Internal, e.Message, e));
}
