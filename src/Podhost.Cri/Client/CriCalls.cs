using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Podhost.Cri.Client;

/// <summary>Turns gRPC's call objects into tasks and sequences; a caller's cancellation is an OperationCanceledException.</summary>
internal static class CriCalls
{
    public static async Task<TResponse> CallAsync<TResponse>(AsyncUnaryCall<TResponse> call, CancellationToken cancellationToken)
    {
        using (call)
        {
            try
            {
                return await call.ResponseAsync;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(e.Message, e, cancellationToken);
            }
        }
    }

    public static async IAsyncEnumerable<TResponse> ReadAllAsync<TResponse>(
        Func<CancellationToken, AsyncServerStreamingCall<TResponse>> start,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = start(cancellationToken);
        while (await MoveNextAsync(call.ResponseStream, cancellationToken))
        {
            yield return call.ResponseStream.Current;
        }
    }

    private static async Task<bool> MoveNextAsync<TResponse>(IAsyncStreamReader<TResponse> stream, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.MoveNext(cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }
}
