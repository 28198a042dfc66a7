using k8s.Models;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Probes.Handlers;

namespace Podhost.Kubelet.Probes;

/// <summary>Probes one container instance on its own beat until it is stopped or has nothing more to find out. It holds no thread.</summary>
internal sealed class ProbeWorker(
    ProbeTarget target, ProbeRunner runner, IEventRecorder events, Action<ProbeReport> sink, ProbeManagerOptions options, TimeProvider time, double jitter)
{
    private readonly CancellationTokenSource stop = new();
    private readonly ProbeThresholds thresholds = new();
    private volatile ProbeTarget target = target;
    private Task run = Task.CompletedTask;

    /// <summary>Attempts so far by verdict: successes (warnings too), failures, unknown ones.</summary>
    public ProbeCounts Counts { get; } = new();

    /// <summary>What is probed now.</summary>
    public ProbeTarget Target => target;

    /// <summary>Starts probing.</summary>
    public void Start() => run = Task.Run(RunAsync);

    /// <summary>Takes a newer view of the same container instance: its spec or its address may have changed.</summary>
    public void Update(ProbeTarget newer) => target = newer;

    /// <summary>Stops; an attempt under way is cancelled and not reported.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await run.ConfigureAwait(false);
        stop.Dispose();
    }

    private static V1Probe? SpecOf(ProbeTarget target) => target.Kind switch
    {
        ProbeKind.Liveness => target.Container.LivenessProbe,
        ProbeKind.Readiness => target.Container.ReadinessProbe,
        _ => target.Container.StartupProbe,
    };

    private async Task RunAsync()
    {
        try
        {
            if (SpecOf(target) is not { } first)
            {
                return; // nothing to probe; the decision does not ask for such targets
            }

            var due = ProbeTimings.Of(first).First(target.StartedAt, time.GetUtcNow(), options.RestartedAt, jitter);
            while (SpecOf(target) is { } probe)
            {
                await UntilAsync(due).ConfigureAwait(false);
                if (!await ProbeOnceAsync(probe).ConfigureAwait(false))
                {
                    return;
                }

                due = ProbeTimings.Of(probe).Next(due, time.GetUtcNow());
            }
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // Stopped; an attempt that was cut off may end in whatever its handler throws.
        }
    }

    private async Task UntilAsync(DateTimeOffset due)
    {
        TimeSpan wait;
        while ((wait = due - time.GetUtcNow()) > TimeSpan.Zero)
        {
            // Timers count whole milliseconds and may fire a little early: round up, and look again.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(wait.TotalMilliseconds, int.MaxValue))), time, stop.Token).ConfigureAwait(false);
        }

        stop.Token.ThrowIfCancellationRequested();
    }

    /// <returns>False where there is nothing more to find out about this instance.</returns>
    private async Task<bool> ProbeOnceAsync(V1Probe probe)
    {
        var current = target;
        var timings = ProbeTimings.Of(probe);
        ProbeOutcome outcome;
        try
        {
            outcome = await runner.RunAsync(probe, current, timings.Timeout, stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // A handler names its own failures; whatever else happens must not end the probing of this container.
            outcome = ProbeOutcome.Unknown(e.Message);
        }

        Record(current, outcome);
        var attempt = Counts.Add(outcome.Verdict);
        if (thresholds.Add(attempt, timings.SuccessThreshold, timings.FailureThreshold) is not { } result)
        {
            return true;
        }

        sink(new ProbeReport(current.Pod.Metadata.Uid, current.Container.Name, current.ContainerId, current.Kind, result, outcome.Output));
        return current.Kind switch
        {
            ProbeKind.Readiness => true,
            ProbeKind.Startup => false, // started, or to be restarted: the next instance is probed anew
            _ => result == ProbeResult.Success, // to be restarted: probing an instance that is being stopped only disturbs
        };
    }

    private void Record(ProbeTarget current, ProbeOutcome outcome)
    {
        var (reason, text) = outcome.Verdict switch
        {
            ProbeVerdict.Failure => ("Unhealthy", $"{current.Kind} probe failed: {outcome.Output}"),
            ProbeVerdict.Unknown => ("Unhealthy", $"{current.Kind} probe errored and resulted in unknown state: {outcome.Output}"),
            ProbeVerdict.Warning => ("ProbeWarning", $"{current.Kind} probe warning: {outcome.Output}"),
            _ => ("", ""),
        };
        if (reason.Length > 0)
        {
            events.Record(ContainerReference.Of(current.Pod, current.Container.Name), "Warning", reason, text);
        }
    }
}
