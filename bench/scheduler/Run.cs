using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Hosting;
using Podhost.Client;
using Podhost.Client.Events;
using Podhost.Client.Informers;
using Podhost.Control.Events;
using Podhost.Control.Scheduler;
using Podhost.Storage.Memory;

namespace Podhost.Bench.Scheduler;

/// <summary>One API server with its nodes, and a scheduler.</summary>
internal sealed class Run : IAsyncDisposable
{
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly CancellationTokenSource _stop = new(TimeSpan.FromMinutes(10));
    private readonly ApiServer.Hosting.ApiServer _server = new(
        new ApiServerOptions { Listen = false, SecurePort = 0, BindAddress = IPAddress.Loopback }, new ApiServerDependencies { Store = new MemoryStore() });

    private readonly List<Task> _loops = [];
    private readonly ConcurrentDictionary<string, long> _bound = new();
    private readonly ApiClient _client;
    private Informer<V1Pod> _pods = null!;
    private int _awaited;
    private TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Run() => _client = new ApiClient(
        new HttpMessageInvoker(_server.CreateInProcessHandler(new UserInfo("bench", [UserInfo.Masters, UserInfo.Authenticated]))),
        new ApiClientOptions { BaseAddress = new Uri("https://localhost"), UserAgent = "bench" });

    public static async Task<Run> StartAsync(int nodes)
    {
        var run = new Run();
        await run._server.StartAsync(run._stop.Token);
        await run._server.Ready.WaitAsync(run._stop.Token);
        for (var i = 0; i < nodes; i++)
        {
            var node = await run._client.CreateAsync(Samples.Node(i), run._stop.Token);
            node.Status = Samples.Node(i).Status;
            await run._client.UpdateAsync(node, "status", run._stop.Token);
        }

        return run;
    }

    /// <summary>All pods are there when the scheduler starts.</summary>
    public async Task<string> BurstAsync(string kind, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _client.CreateAsync(Samples.Pod(kind, i), _stop.Token);
        }

        _awaited = count;
        _pods = Inform<V1Pod>();
        _pods.Subscribe(Count);
        var sources = new SchedulerSources(_pods, Inform<V1Node>(), Inform<V1Namespace>(), Inform<V1Service>(), Storage: null, Budgets: null);
        await Task.WhenAll(sources.Pods.Synced, sources.Nodes.Synced, sources.Namespaces.Synced, sources.Services.Synced);
        var broadcaster = new EventBroadcaster(_client, new EventBroadcasterOptions { Component = "default-scheduler" }, _time, new Random(1), NullLogger<EventBroadcaster>.Instance);
        _loops.Add(broadcaster.RunAsync(_stop.Token, TimeSpan.FromSeconds(1)));
        var before = Cpu();
        var watch = Stopwatch.StartNew();
        _loops.Add(new PodScheduler(_client, sources, new EventSink(broadcaster), _time, NullLoggerFactory.Instance).RunAsync(_stop.Token));
        await AllBoundAsync();
        return $"{watch.Elapsed.TotalSeconds:0.0} s, {count / watch.Elapsed.TotalSeconds:0} pods/s, {(Cpu() - before).TotalMilliseconds / count:0.00} ms of CPU a pod";
    }

    /// <summary>Pods come one after another at a steady rate, whatever the scheduler does: from before each create until a watch shows its node.</summary>
    public async Task<string> SteadyAsync(string kind, int from, int count, int perSecond)
    {
        _awaited = from + count;
        _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var starts = new Dictionary<string, long>();
        var creates = new List<Task>();
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            var due = TimeSpan.FromSeconds((double)i / perSecond) - Stopwatch.GetElapsedTime(begin);
            if (due > TimeSpan.Zero)
            {
                await Task.Delay(due, _time, _stop.Token);
            }

            var pod = Samples.Pod(kind, from + i);
            starts[pod.Metadata.Name] = Stopwatch.GetTimestamp();
            creates.Add(_client.CreateAsync(pod, _stop.Token));
        }

        await Task.WhenAll(creates);
        await AllBoundAsync();
        var took = starts.Select(s => Stopwatch.GetElapsedTime(s.Value, _bound[s.Key]).TotalMilliseconds).Order().ToList();
        return $"p50 {took[took.Count / 2]:0.0} ms, p99 {took[took.Count * 99 / 100]:0.0} ms";
    }

    /// <summary>The fewest and the most pods of a node.</summary>
    public string Spread()
    {
        var onNodes = _pods.List().GroupBy(p => p.Spec.NodeName).Select(g => g.Count()).ToList();
        return $"{onNodes.Min()} to {onNodes.Max()}";
    }

    /// <summary>What it costs to do nothing.</summary>
    public async Task<string> IdleAsync()
    {
        var before = Cpu();
        await Task.Delay(TimeSpan.FromSeconds(3), _time, _stop.Token);
        return $"{(Cpu() - before).TotalMilliseconds / 3:0.0} ms/s";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Task.WhenAll(_loops);
        }
        catch (OperationCanceledException)
        {
            // They were told to end.
        }

        await _server.DisposeAsync();
        _stop.Dispose();
    }

    private void Count(InformerEvent<V1Pod> change)
    {
        if (!string.IsNullOrEmpty(change.Object.Spec.NodeName) && _bound.TryAdd(change.Object.Metadata.Name, Stopwatch.GetTimestamp()) && _bound.Count == _awaited)
        {
            _done.TrySetResult();
        }
    }

    private static TimeSpan Cpu() => Process.GetCurrentProcess().TotalProcessorTime;

    private async Task AllBoundAsync()
    {
        await Task.WhenAny([_done.Task, .. _loops]).Unwrap();
        await _done.Task.WaitAsync(_stop.Token);
    }

    private Informer<T> Inform<T>() where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = new Informer<T>(_client, new InformerOptions(), _time, new Random(1), NullLogger.Instance);
        _loops.Add(informer.RunAsync(_stop.Token));
        return informer;
    }
}
