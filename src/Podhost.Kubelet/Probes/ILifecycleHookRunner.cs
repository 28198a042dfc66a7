using k8s.Models;

namespace Podhost.Kubelet.Probes;

/// <summary>Runs one postStart or preStop handler. It decides nothing: grace arithmetic, kills and events are the pod loop's.</summary>
public interface ILifecycleHookRunner
{
    /// <summary>Runs the handler to its end, to <paramref name="deadline"/> or to cancellation, whichever is first.</summary>
    /// <param name="pod">The pod, for ports and host names.</param>
    /// <param name="container">The container that carries the hook.</param>
    /// <param name="containerId">Its running instance, as the runtime names it (no scheme).</param>
    /// <param name="podIP">Where http and tcp handlers connect where they name no host; empty where the pod has none.</param>
    /// <param name="handler">Exec, httpGet, tcpSocket (old manifests) or sleep.</param>
    /// <param name="deadline">When the handler must have ended; <see cref="DateTimeOffset.MaxValue"/> for none.</param>
    /// <param name="cancellationToken">Cancels the waiting; a command that was started runs on until its container is killed.</param>
    /// <returns>The outcome. A handler that fails is an outcome, not an exception.</returns>
    Task<LifecycleHookOutcome> RunAsync(
        V1Pod pod,
        V1Container container,
        string containerId,
        string podIP,
        V1LifecycleHandler handler,
        DateTimeOffset deadline,
        CancellationToken cancellationToken);
}

/// <summary>How a lifecycle hook ended.</summary>
/// <param name="Succeeded">True for exit code 0, an HTTP status from 200 to 399, an opened port, or a sleep that ended.</param>
/// <param name="Message">What failed and the output, as the FailedPostStartHook and FailedPreStopHook events show it; empty on success.</param>
public sealed record LifecycleHookOutcome(bool Succeeded, string Message)
{
    /// <summary>The handler succeeded.</summary>
    public static LifecycleHookOutcome Success { get; } = new(true, "");
}
