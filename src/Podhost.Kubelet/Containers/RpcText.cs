using Grpc.Core;

namespace Podhost.Kubelet.Containers;

/// <summary>A failure of gRPC as Go prints it, whose names of codes differ from those here in one place.</summary>
internal static class RpcText
{
    public static string Of(RpcException e) =>
        $"rpc error: code = {(e.StatusCode == StatusCode.Cancelled ? "Canceled" : e.StatusCode.ToString())} desc = {e.Status.Detail}";
}
