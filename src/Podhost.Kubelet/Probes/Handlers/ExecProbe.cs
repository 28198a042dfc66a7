using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>exec: exit code 0. The runtime kills a command that runs out of time.</summary>
internal static class ExecProbe
{
    private const int MaxOutput = 10 * 1024;

    /// <summary>A runtime that does not keep its own timeout is not waited for longer than this.</summary>
    private static readonly TimeSpan RuntimeSlack = TimeSpan.FromSeconds(5);

    public static async Task<ProbeOutcome> RunAsync(
        IRuntimeService runtime, string containerId, IEnumerable<string> command, TimeSpan timeout, TimeProvider time, CancellationToken caller)
    {
        var request = new ExecSyncRequest { ContainerId = containerId, Timeout = (long)Math.Ceiling(timeout.TotalSeconds) };
        request.Cmd.AddRange(command);
        using var limit = new CancellationTokenSource(timeout + RuntimeSlack, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, caller);
        try
        {
            var response = await runtime.ExecSyncAsync(request, either.Token).ConfigureAwait(false);
            var output = Text(response.Stdout, response.Stderr);
            return response.ExitCode == 0 ? ProbeOutcome.Success(output) : ProbeOutcome.Failure(output);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.DeadlineExceeded || (e.StatusCode == StatusCode.Cancelled && limit.IsCancellationRequested))
        {
            return TimedOut(request, timeout);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            return TimedOut(request, timeout);
        }
        catch (RpcException e) when (caller.IsCancellationRequested)
        {
            throw new OperationCanceledException("the probe was stopped", e, caller);
        }
        catch (RpcException e)
        {
            return ProbeOutcome.Unknown(RpcText.Of(e));
        }
    }

    /// <summary>What a command said, both outputs, the first 10 KiB.</summary>
    internal static string Text(ByteString stdout, ByteString stderr)
    {
        var text = stdout.ToStringUtf8() + stderr.ToStringUtf8();
        return text.Length <= MaxOutput ? text : text[..MaxOutput];
    }

    private static ProbeOutcome TimedOut(ExecSyncRequest request, TimeSpan timeout) => ProbeOutcome.Failure(
        string.Create(CultureInfo.InvariantCulture, $"command timed out: \"{string.Join(' ', request.Cmd)}\" timed out after {timeout.TotalSeconds}s"));
}
