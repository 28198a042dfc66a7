namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>tcpSocket: the port opens.</summary>
internal static class TcpProbe
{
    public static async Task<ProbeOutcome> RunAsync(string host, int port, CancellationToken deadline, CancellationToken caller)
    {
        try
        {
            using var socket = await Dialer.ConnectAsync(host, port, deadline, caller).ConfigureAwait(false);
            return ProbeOutcome.Success();
        }
        catch (DialException e)
        {
            return ProbeOutcome.Failure(e.Message);
        }
    }
}
