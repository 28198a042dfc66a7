using Podhost.Cri.Services;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Probes.Handlers;

namespace Podhost.Kubelet.Probes;

/// <summary>
/// Keeps a worker for each probe of each running container. A report goes to the sink when a result after thresholds differs from the one before
/// it (the first always does); attempts below a threshold and Unknown ones report nothing. Every attempt that fails is an event.
/// </summary>
/// <remarks>
/// A startup probe ends with its first result, a liveness probe with its first failure: the instance is started, or will be restarted.
/// </remarks>
public sealed class ProbeManager : IProbeManager
{
    private readonly ProbeRunner runner;
    private readonly IEventRecorder events;
    private readonly Action<ProbeReport> sink;
    private readonly ProbeManagerOptions options;
    private readonly TimeProvider time;
    private readonly Random random;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Dictionary<(string, ProbeKind), ProbeWorker>> pods = [];
    private readonly HashSet<Task> stopping = [];
    private bool disposed;

    /// <summary>Builds the manager.</summary>
    /// <param name="runtime">Runs exec probes.</param>
    /// <param name="events">Takes Unhealthy and ProbeWarning events.</param>
    /// <param name="sink">Takes reports; called from many threads, must not block.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="random">For the delay of first probes after a restart.</param>
    public ProbeManager(IRuntimeService runtime, IEventRecorder events, Action<ProbeReport> sink, ProbeManagerOptions options, TimeProvider time, Random random)
    {
        runner = new ProbeRunner(runtime, time);
        this.events = events;
        this.sink = sink;
        this.options = options;
        this.time = time;
        this.random = random;
    }

    /// <inheritdoc/>
    public void Sync(string podUid, IReadOnlyList<ProbeTarget> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            var workers = pods.TryGetValue(podUid, out var existing) ? existing : pods[podUid] = [];
            var wanted = targets.Select(t => t.Key).ToHashSet();
            foreach (var key in workers.Keys.Where(k => !wanted.Contains(k)).ToList())
            {
                workers.Remove(key, out var worker);
                Stop(worker!);
            }

            foreach (var target in targets)
            {
                if (workers.TryGetValue(target.Key, out var worker))
                {
                    worker.Update(target);
                }
                else
                {
                    workers[target.Key] = worker = new ProbeWorker(target, runner, events, sink, options, time, random.NextDouble());
                    worker.Start();
                }
            }

            if (workers.Count == 0)
            {
                pods.Remove(podUid);
            }
        }
    }

    /// <inheritdoc/>
    public void Remove(string podUid) => Sync(podUid, []);

    /// <summary>Attempts of all probes now.</summary>
    public IReadOnlyList<ProbeCount> Counts()
    {
        lock (gate)
        {
            return [.. pods.Values.SelectMany(p => p.Values).Select(Count)];
        }

        static ProbeCount Count(ProbeWorker worker)
        {
            var (successful, failed, unknown) = worker.Counts.Read();
            return new ProbeCount(worker.Target, successful, failed, unknown);
        }
    }

    /// <summary>Stops all workers and waits for attempts under way to end.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] ending;
        lock (gate)
        {
            disposed = true;
            foreach (var worker in pods.Values.SelectMany(p => p.Values))
            {
                Stop(worker);
            }

            pods.Clear();
            ending = [.. stopping];
        }

        await Task.WhenAll(ending).ConfigureAwait(false);
    }

    /// <summary>Called with the gate held.</summary>
    private void Stop(ProbeWorker worker)
    {
        var task = Task.Run(worker.StopAsync);
        stopping.Add(task);
        _ = task.ContinueWith(
            t =>
            {
                lock (gate)
                {
                    stopping.Remove(t);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }
}
