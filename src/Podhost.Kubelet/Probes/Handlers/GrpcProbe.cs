using System.Buffers;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>grpc: <c>grpc.health.v1.Health/Check</c> answers SERVING.</summary>
internal static class GrpcProbe
{
    private static readonly Method<string, HealthAnswer> Check = new(
        MethodType.Unary, "grpc.health.v1.Health", "Check", Marshallers.Create(EncodeRequest, _ => ""), Marshallers.Create(_ => [], bytes => new HealthAnswer(DecodeResponse(bytes))));

    private static readonly string[] Statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

    public static async Task<ProbeOutcome> RunAsync(
        string host, int port, string service, string userAgent, TimeSpan timeout, CancellationToken deadline, CancellationToken caller)
    {
        var address = Dialer.Join(host, port);
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancel) =>
                new System.Net.Sockets.NetworkStream(await Dialer.ConnectAsync(host, port, cancel, caller).ConfigureAwait(false), ownsSocket: true),
        };
        using var channel = GrpcChannel.ForAddress("http://" + address, new GrpcChannelOptions { HttpHandler = handler, MaxReceiveMessageSize = 64 * 1024 });
        try
        {
            var options = new CallOptions(new Metadata { { "user-agent", userAgent } }, cancellationToken: deadline);
            using var call = channel.CreateCallInvoker().AsyncUnaryCall(Check, null, options, service);
            var status = (await call.ResponseAsync.ConfigureAwait(false)).Status;
            return status == 1
                ? ProbeOutcome.Success("service healthy")
                : ProbeOutcome.Failure($"service unhealthy (responded with \"{Name(status)}\")");
        }
        catch (RpcException e) when (!caller.IsCancellationRequested)
        {
            return ProbeOutcome.Failure(Describe(e, address, timeout, deadline.IsCancellationRequested));
        }
    }

    /// <summary>HealthCheckRequest: field 1, the service.</summary>
    internal static byte[] EncodeRequest(string service)
    {
        if (service.Length == 0)
        {
            return [];
        }

        var text = Encoding.UTF8.GetBytes(service);
        var bytes = new ArrayBufferWriter<byte>(text.Length + 6);
        bytes.Write<byte>([0x0a]);
        for (var length = (uint)text.Length; ; length >>= 7)
        {
            bytes.Write<byte>([(byte)(length < 0x80 ? length : (length & 0x7f) | 0x80)]);
            if (length < 0x80)
            {
                break;
            }
        }

        bytes.Write(text);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>HealthCheckResponse: field 1, the status; absent means 0, UNKNOWN.</summary>
    internal static int DecodeResponse(byte[] message)
    {
        var input = new Google.Protobuf.CodedInputStream(message);
        var status = 0;
        uint tag;
        while ((tag = input.ReadTag()) != 0)
        {
            if (tag == 8)
            {
                status = input.ReadEnum();
            }
            else
            {
                input.SkipLastField();
            }
        }

        return status;
    }

    private static string Name(int status) =>
        status >= 0 && status < Statuses.Length ? Statuses[status] : status.ToString(CultureInfo.InvariantCulture);

    private static string Describe(RpcException e, string address, TimeSpan timeout, bool timedOut)
    {
        var seconds = string.Create(CultureInfo.InvariantCulture, $"{timeout.TotalSeconds}s");
        if (e.StatusCode == StatusCode.Unimplemented)
        {
            return $"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {e.Status.Detail}";
        }

        if (timedOut)
        {
            return $"timeout: health rpc did not complete within {seconds}";
        }

        if (e.StatusCode == StatusCode.Unavailable)
        {
            var why = e.Status.DebugException is { } inner ? inner.GetBaseException().Message : e.Status.Detail;
            return $"timeout: failed to connect service \"{address}\" within {seconds}: {why}";
        }

        return $"error: health rpc probe failed: {RpcText.Of(e)}";
    }

    private sealed record HealthAnswer(int Status);
}
