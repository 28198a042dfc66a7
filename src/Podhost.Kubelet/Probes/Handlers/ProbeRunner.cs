using k8s.Models;
using Podhost.Cri.Services;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>Runs one attempt of a probe by its handler.</summary>
internal sealed class ProbeRunner(IRuntimeService runtime, TimeProvider time)
{
    /// <summary>As upstream names itself.</summary>
    public const string UserAgent = "kube-probe/1.36";

    /// <summary>Attempts that did not work are made up to this often in a row before they count as Unknown.</summary>
    private const int MaxAttempts = 3;

    /// <summary>Runs one attempt.</summary>
    /// <exception cref="OperationCanceledException">Only where <paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<ProbeOutcome> RunAsync(V1Probe probe, ProbeTarget target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var outcome = ProbeOutcome.Unknown("");
        for (var i = 0; i < MaxAttempts; i++)
        {
            outcome = await RunOnceAsync(probe, target, timeout, cancellationToken).ConfigureAwait(false);
            if (outcome.Verdict != ProbeVerdict.Unknown)
            {
                break;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        return outcome;
    }

    private async Task<ProbeOutcome> RunOnceAsync(V1Probe probe, ProbeTarget target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (probe.Exec is { } exec)
        {
            return await ExecProbe.RunAsync(runtime, target.ContainerId, exec.Command ?? [], timeout, time, cancellationToken).ConfigureAwait(false);
        }

        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        switch (probe)
        {
            case { HttpGet: { } http }:
                return ProbePorts.Resolve(http.Port, target.Container, out var httpError) is { } httpPort
                    ? await HttpProbe.RunAsync(HttpProbeRequest.Of(http, httpPort, target.PodIP, UserAgent), either.Token, cancellationToken).ConfigureAwait(false)
                    : ProbeOutcome.Unknown(httpError);
            case { TcpSocket: { } tcp }:
                return ProbePorts.Resolve(tcp.Port, target.Container, out var tcpError) is { } tcpPort
                    ? await TcpProbe.RunAsync(string.IsNullOrEmpty(tcp.Host) ? target.PodIP : tcp.Host, tcpPort, either.Token, cancellationToken).ConfigureAwait(false)
                    : ProbeOutcome.Unknown(tcpError);
            case { Grpc: { } grpc }:
                return await GrpcProbe.RunAsync(target.PodIP, grpc.Port, grpc.Service ?? "", UserAgent, timeout, either.Token, cancellationToken).ConfigureAwait(false);
            default:
                return ProbeOutcome.Unknown("missing probe handler for " + target.Container.Name);
        }
    }
}
