using System.Globalization;
using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Probes.Handlers;
using k8s.Models;

namespace Podhost.Kubelet.Probes;

/// <summary>Runs postStart and preStop handlers with the same means as probes.</summary>
/// <remarks>An httpGet hook succeeds with any HTTP answer, whatever its status: upstream looks at transport failures only.</remarks>
public sealed class LifecycleHookRunner(IRuntimeService runtime, TimeProvider time) : ILifecycleHookRunner
{
    private const string UserAgent = "kube-lifecycle/1.36";

    /// <inheritdoc/>
    public async Task<LifecycleHookOutcome> RunAsync(
        V1Pod pod, V1Container container, string containerId, string podIP, V1LifecycleHandler handler, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(container);
        ArgumentNullException.ThrowIfNull(handler);
        using var limit = Limit(deadline);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var failure = handler switch
        {
            { Exec: { } exec } => await ExecAsync(containerId, exec, either.Token, cancellationToken).ConfigureAwait(false),
            { HttpGet: { } http } => await HttpAsync(container, podIP, http, either.Token, cancellationToken).ConfigureAwait(false),
            { TcpSocket: { } tcp } => await TcpAsync(container, podIP, tcp, either.Token, cancellationToken).ConfigureAwait(false),
            { Sleep: { } sleep } => await SleepAsync(sleep, either.Token, cancellationToken).ConfigureAwait(false),
            _ => "invalid handler: one of exec, httpGet, tcpSocket or sleep is required",
        };
        return failure is null
            ? LifecycleHookOutcome.Success
            : new LifecycleHookOutcome(false, $"{Describe(handler)} for Container \"{container.Name}\" in Pod \"{Format(pod)}\" failed - error: {failure}");
    }

    private static string Describe(V1LifecycleHandler handler) => handler switch
    {
        { Exec: { } exec } => $"Exec lifecycle hook ([{string.Join(' ', exec.Command ?? [])}])",
        { HttpGet: { } http } => $"HTTP lifecycle hook ({http.Path})",
        { TcpSocket: not null } => "TCP lifecycle hook",
        { Sleep: not null } => "Sleep lifecycle hook",
        _ => "Lifecycle hook",
    };

    private static string Format(V1Pod pod) => $"{pod.Metadata?.Name}_{pod.Metadata?.NamespaceProperty}({pod.Metadata?.Uid})";

    private CancellationTokenSource Limit(DateTimeOffset deadline)
    {
        // Far deadlines would overflow a timer, and none is no limit.
        var left = deadline - time.GetUtcNow();
        return left > TimeSpan.FromDays(30)
            ? new CancellationTokenSource()
            : new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
    }

    private async Task<string?> ExecAsync(string containerId, V1ExecAction exec, CancellationToken limited, CancellationToken caller)
    {
        var request = new ExecSyncRequest { ContainerId = containerId };
        request.Cmd.AddRange(exec.Command ?? []);

        // Only the waiting ends with the deadline: the command has, as upstream's, until its container is killed, which is two seconds more.
        var run = runtime.ExecSyncAsync(request, CancellationToken.None);
        try
        {
            var response = await run.WaitAsync(limited).ConfigureAwait(false);
            return response.ExitCode == 0 ? null : string.Create(
                CultureInfo.InvariantCulture,
                $"command '{string.Join(' ', request.Cmd)}' exited with {response.ExitCode}: {response.Stderr.ToStringUtf8()}, message: \"{ExecProbe.Text(response.Stdout, response.Stderr)}\"");
        }
        catch (OperationCanceledException)
        {
            // The container's end ends it; what it says then nobody asks.
            _ = run.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            caller.ThrowIfCancellationRequested();
            return $"command '{string.Join(' ', request.Cmd)}' did not end in time";
        }
        catch (RpcException e)
        {
            return RpcText.Of(e);
        }
    }

    private static async Task<string?> HttpAsync(V1Container container, string podIP, V1HTTPGetAction http, CancellationToken limited, CancellationToken caller)
    {
        var noPort = string.IsNullOrEmpty(http.Port?.Value);
        string error = "";
        var port = noPort ? (string.Equals(http.Scheme, "HTTPS", StringComparison.OrdinalIgnoreCase) ? 443 : 80) : ProbePorts.Resolve(http.Port!, container, out error);
        if (port is null)
        {
            return error;
        }

        if (string.IsNullOrEmpty(http.Host) && podIP.Length == 0)
        {
            return "failed to find networking container: the pod has no IP";
        }

        var request = HttpProbeRequest.Of(http, port.Value, podIP, UserAgent);
        try
        {
            await HttpProbe.SendAsync(request, limited, caller).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (HttpProbe.Describe(e) is { } reason)
        {
            caller.ThrowIfCancellationRequested();
            return $"Get \"{request.Url}\": {reason}";
        }
    }

    private static async Task<string?> TcpAsync(V1Container container, string podIP, V1TCPSocketAction tcp, CancellationToken limited, CancellationToken caller)
    {
        if (ProbePorts.Resolve(tcp.Port, container, out var error) is not { } port)
        {
            return error;
        }

        var outcome = await TcpProbe.RunAsync(string.IsNullOrEmpty(tcp.Host) ? podIP : tcp.Host, port, limited, caller).ConfigureAwait(false);
        return outcome.Verdict == ProbeVerdict.Success ? null : outcome.Output;
    }

    private async Task<string?> SleepAsync(V1SleepAction sleep, CancellationToken limited, CancellationToken caller)
    {
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(0, sleep.Seconds)), time, limited).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException)
        {
            caller.ThrowIfCancellationRequested();
            return "the sleep was cut short by the grace period";
        }
    }
}
