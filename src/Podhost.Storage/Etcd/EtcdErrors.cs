using Grpc.Core;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Etcd;

/// <summary>etcd's failures in the contract's words.</summary>
internal static class EtcdErrors
{
    internal static bool IsCompacted(RpcException e) =>
        e.StatusCode == StatusCode.OutOfRange && e.Status.Detail.Contains("compacted", StringComparison.Ordinal);

    internal static bool IsFuture(RpcException e) =>
        e.StatusCode == StatusCode.OutOfRange && e.Status.Detail.Contains("future revision", StringComparison.Ordinal);

    /// <summary>Any other failure. A write whose answer was lost may have been applied.</summary>
    internal static StoreException Translate(RpcException e, Uri endpoint, bool isWrite) => new(
        e.StatusCode switch
        {
            StatusCode.Unavailable => $"etcd {endpoint} cannot be reached: {e.Status.Detail}",
            StatusCode.DeadlineExceeded => $"etcd {endpoint} did not answer in time",
            StatusCode.ResourceExhausted => $"etcd {endpoint} has no room (quota): {e.Status.Detail}; compact and defragment it",
            StatusCode.Unauthenticated or StatusCode.PermissionDenied => $"etcd {endpoint} refused us: {e.Status.Detail}",
            _ => $"etcd {endpoint} failed ({e.StatusCode}): {e.Status.Detail}",
        },
        e)
    {
        OutcomeUnknown = isWrite && e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Unknown or StatusCode.Internal,
    };
}
