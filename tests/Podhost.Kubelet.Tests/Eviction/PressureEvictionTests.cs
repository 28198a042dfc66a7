using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.Eviction;

/// <summary>The loop that looks and evicts, on fake readings.</summary>
public sealed class PressureEvictionTests : IDisposable
{
    private const long Mi = 1024 * 1024;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly FakePods pods = new();
    private readonly FakeReadings readings = new();
    private readonly RecordedEvents events = new();
    private readonly CancellationTokenSource ending = new(TimeSpan.FromSeconds(60));

    public void Dispose() => ending.Dispose();

    [Fact]
    public async Task One_pod_goes_at_a_time_and_the_next_when_the_first_is_gone()
    {
        pods.Add("small");
        pods.Add("large");
        pods.Add("critical", "priority: 2000000000\n");
        readings.Memory = new() { ["small"] = 10, ["large"] = 20, ["critical"] = 900 };
        readings.Available = 1;
        var eviction = Eviction(new EvictionOptions());
        var run = eviction.RunAsync(ending.Token);

        Assert.Equal("large", (await pods.StoppedAsync(ending.Token)).Uid);
        Assert.Equal(["MemoryPressure"], eviction.Conditions);
        Assert.Contains(("EvictionThresholdMet", "Attempting to reclaim memory"), events.Events);
        Assert.Equal(1, readings.Looks);
        pods.Remove("large");
        eviction.Track("large", null);
        var (uid, request) = await pods.StoppedAsync(ending.Token);
        Assert.Equal(("small", StopCause.Evicted, "Evicted", TimeSpan.FromSeconds(1)), (uid, request.Cause, request.Reason, request.Grace));
        Assert.Equal("main", request.Annotations!["offending_containers"]);
        pods.Remove("small");
        eviction.Track("small", null);
        while (readings.Looks < 3)
        {
            await Task.Yield();
        }

        await EndAsync(run);
        Assert.Equal(["critical"], pods.Names);
    }

    [Theory]
    [InlineData(30, 20, 20)]
    [InlineData(5, 20, 5)]
    public async Task A_soft_threshold_leaves_a_pod_its_grace_up_to_the_longest(int own, int most, int given)
    {
        pods.Add("a", $"terminationGracePeriodSeconds: {own}\n");
        readings.Available = 1;
        var run = Eviction(new EvictionOptions
        {
            Hard = new Dictionary<string, string>(),
            Soft = new Dictionary<string, string> { ["memory.available"] = "100Mi" },
            SoftGracePeriod = new Dictionary<string, TimeSpan> { ["memory.available"] = TimeSpan.FromSeconds(1) },
            MaxPodGracePeriod = TimeSpan.FromSeconds(most),
        }).RunAsync(ending.Token);
        while (!pods.AnyStopped)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(TimeSpan.FromSeconds(given), (await pods.StoppedAsync(ending.Token)).Request.Grace);
        await EndAsync(run);
    }

    [Fact]
    public async Task Nobody_is_evicted_for_disk_that_could_be_freed()
    {
        pods.Add("a");
        readings.Disk = 1;
        var freed = new FakeReclaim(() => readings.Disk = 900);
        var eviction = Eviction(new EvictionOptions { PressureTransitionPeriod = TimeSpan.MaxValue }, freed);
        var run = eviction.RunAsync(ending.Token);
        while (readings.Looks < 3)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(1, freed.Calls);
        Assert.False(pods.AnyStopped);
        Assert.Equal(["DiskPressure"], eviction.Conditions);
        await EndAsync(run);
    }

    [Fact]
    public async Task News_of_shortage_end_the_wait_before_the_period()
    {
        pods.Add("a");
        var run = Eviction(new EvictionOptions()).RunAsync(ending.Token);
        await readings.WaitedForShortageAsync(time, ending.Token);
        readings.Available = 1;
        readings.Shortage.SetResult();
        Assert.Equal("a", (await pods.StoppedAsync(ending.Token)).Uid);
        await EndAsync(run);
    }

    private PressureEviction Eviction(EvictionOptions options, IDiskReclaim? disk = null) => new(
        new KubeletOptions { NodeName = "n", RootDirectory = "/", Eviction = options }, pods, readings, disk, events, time, NullLogger.Instance);

    private async Task EndAsync(Task run)
    {
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    private sealed class FakePods : IEvictablePods
    {
        private readonly Dictionary<string, V1Pod> pods = [];
        private readonly Channel<(string Uid, StopRequest Request)> stopped = Channel.CreateUnbounded<(string, StopRequest)>();

        public IEnumerable<string> Names
        {
            get
            {
                lock (pods)
                {
                    return [.. pods.Keys];
                }
            }
        }

        public bool AnyStopped => stopped.Reader.TryPeek(out _);

        public void Add(string name, string spec = "")
        {
            lock (pods)
            {
                pods[name] = Objects.Pod(spec + "containers: [{name: main}]", name, name);
            }
        }

        public void Remove(string name)
        {
            lock (pods)
            {
                pods.Remove(name);
            }
        }

        public async Task<(string Uid, StopRequest Request)> StoppedAsync(CancellationToken token) => await stopped.Reader.ReadAsync(token);

        public IReadOnlyList<PodSnapshot> Snapshots()
        {
            lock (pods)
            {
                return [.. pods.Values.Select(p => new PodSnapshot(p, null, Stage.Active))];
            }
        }

        public bool Has(string uid)
        {
            lock (pods)
            {
                return pods.ContainsKey(uid);
            }
        }

        public void Stop(string uid, StopRequest request) => stopped.Writer.TryWrite((uid, request));
    }

    private sealed class FakeReadings : IEvictionReadings
    {
        private int looks;
        private int waits;

        public long Available { get; set; } = 500;

        public long Disk { get; set; } = 500;

        public Dictionary<string, long> Memory { get; set; } = [];

        public TaskCompletionSource Shortage { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Looks => Volatile.Read(ref looks);

        public bool SeparateImages => false;

        public Task<IReadOnlyDictionary<EvictionSignal, EvictionObservation>> NodeAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref looks);
            return Task.FromResult<IReadOnlyDictionary<EvictionSignal, EvictionObservation>>(new Dictionary<EvictionSignal, EvictionObservation>
            {
                [EvictionSignal.MemoryAvailable] = EvictionObservation.Bytes(Available * Mi, 1000 * Mi),
                [EvictionSignal.NodeFsAvailable] = EvictionObservation.Bytes(Disk * Mi, 1000 * Mi),
            });
        }

        public Task<IReadOnlyList<PodShare>> PodsAsync(IReadOnlyList<V1Pod> pods, EvictionSignal signal, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<PodShare>>([.. pods.Select(p => new PodShare(p)
            {
                Memory = new Dictionary<string, long> { ["main"] = Memory.GetValueOrDefault(p.Metadata.Name) * Mi },
            })]);

        public Task ShortageAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref waits);
            return Shortage.Task.WaitAsync(cancellationToken);
        }

        /// <summary>Lets the shortest pause pass, no more.</summary>
        public async Task WaitedForShortageAsync(FakeTimeProvider time, CancellationToken token)
        {
            while (Looks == 0)
            {
                await Task.Yield();
            }

            while (Volatile.Read(ref waits) == 0)
            {
                token.ThrowIfCancellationRequested();
                time.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Yield();
            }
        }
    }

    private sealed class FakeReclaim(Action free) : IDiskReclaim
    {
        public int Calls { get; private set; }

        public Task FreeAsync(CancellationToken cancellationToken)
        {
            Calls++;
            free();
            return Task.CompletedTask;
        }
    }
}
