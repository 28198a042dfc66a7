using CsCheck;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Client.Informers;
using Podhost.Client.Tests.Fakes;

namespace Podhost.Client.Tests.Informers;

public sealed class InformerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private enum Step
    {
        Put,
        Delete,
        CutMidLine,
        Reset,
        EndCleanly,
        Compact,
        Fail,
        Pause,
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_copies_and_follows(bool refusesWatchList)
    {
        var server = new FaultyServer { RefusesWatchList = refusesWatchList };
        for (var i = 0; i < 25; i++)
        {
            server.Put($"before-{i}");
        }

        await using var run = new Run(server);
        await run.Informer.Synced.WaitAsync(Deadline);
        Assert.Equal(25, run.Informer.List().Count);
        Assert.Equal(refusesWatchList ? 3 : 0, server.Lists);
        Assert.NotNull(run.Informer.Get("default", "before-7"));

        server.Put("after");
        server.Delete("before-7");
        await run.AgreeAsync();
        Assert.Null(run.Informer.Get("default", "before-7"));
        Assert.Equal("ConfigMap", run.Informer.Get("default", "after")!.Kind);
    }

    [Fact]
    public async Task A_broken_watch_resumes_without_listing()
    {
        var server = new FaultyServer { RefusesWatchList = true };
        server.Put("a");
        await using var run = new Run(server);
        await run.AgreeAsync();
        var lists = server.Lists;
        server.CutMidLine();
        server.Delete("a");
        server.Put("b");
        await run.AgreeAsync();
        Assert.Equal(lists, server.Lists);
        Assert.Contains(run.Seen, e => e is { Type: WatchEventKind.Deleted } && e.Object.Metadata.Name == "a");
    }

    [Fact]
    public async Task After_410_a_deletion_that_nobody_saw_is_told()
    {
        var server = new FaultyServer();
        server.Put("kept");
        server.Put("lost");
        await using var run = new Run(server);
        await run.AgreeAsync();
        server.FailNext(2);
        server.Reset();
        server.Delete("lost");
        server.Compact();
        await run.AgreeAsync();
        var deletion = Assert.Single(run.Seen, e => e.Type == WatchEventKind.Deleted);
        Assert.Equal("lost", deletion.Object.Metadata.Name);
    }

    [Fact]
    public async Task A_recreation_that_nobody_saw_is_a_deletion_and_a_creation()
    {
        var server = new FaultyServer();
        server.Put("a");
        await using var run = new Run(server);
        await run.AgreeAsync();
        var uid = run.Informer.Get("default", "a")!.Metadata.Uid;
        server.FailNext(2);
        server.Reset();
        server.Delete("a");
        server.Put("a");
        server.Compact();
        await run.AgreeAsync();
        var about = run.Seen.Where(e => e.Object.Metadata.Name == "a").Select(e => (e.Type, e.Object.Metadata.Uid == uid));
        Assert.Equal([(WatchEventKind.Added, true), (WatchEventKind.Deleted, true), (WatchEventKind.Added, false)], about);
    }

    [Fact]
    public async Task Retries_wait_for_the_clock_with_growing_delays()
    {
        var time = new ObservedTime();
        var server = new FaultyServer();
        server.FailNext(3);
        await using var run = new Run(server, time, new InformerOptions { MinRetryDelay = TimeSpan.FromSeconds(1) });
        for (var i = 0; i < 3; i++)
        {
            // Each attempt also arms the timeout of the initial events (30 s); the delays are shorter.
            var delay = await time.NextWaitAsync(below: TimeSpan.FromSeconds(29));
            Assert.InRange(delay.TotalSeconds, Math.Pow(2, i), Math.Pow(2, i + 1));
            Assert.Equal(i + 1, run.Requests);
            Assert.False(run.Informer.Synced.IsCompleted);
            time.Advance(delay);
        }

        await run.Informer.Synced.WaitAsync(Deadline);
    }

    [Fact]
    public async Task A_server_that_never_ends_the_initial_events_is_listed_instead()
    {
        var time = new FakeTimeProvider();
        var server = new FaultyServer();
        var silent = new ChannelStream();
        await using var run = new Run(server, time, new InformerOptions(), r => r.RequestUri!.Query.Contains("sendInitialEvents") ? FakeHandler.Stream(silent) : null);
        await run.RequestsAsync(1);
        time.Advance(TimeSpan.FromSeconds(31));
        await run.Informer.Synced.WaitAsync(Deadline);
        Assert.Equal(1, server.Lists);
    }

    [Fact]
    public async Task A_late_handler_sees_every_object_once()
    {
        var server = new FaultyServer();
        server.Put("a");
        server.Put("b");
        await using var run = new Run(server);
        await run.AgreeAsync();
        var late = new List<string>();
        using (run.Informer.Subscribe(e => late.Add($"{e.Type} {e.Object.Metadata.Name}")))
        {
            server.Put("c");
            await run.AgreeAsync();
        }

        server.Put("d");
        await run.AgreeAsync();
        late.RemoveAll(s => s.Contains("marker"));
        Assert.Equal(["Added a", "Added b", "Added c"], late.Order());
    }

    [Fact]
    public async Task A_faulty_handler_takes_nothing_from_the_others()
    {
        var server = new FaultyServer();
        await using var run = new Run(server);
        await run.Informer.Synced.WaitAsync(Deadline);
        using var faulty = run.Informer.Subscribe(_ => throw new InvalidOperationException("faulty"));
        server.Put("a");
        await run.AgreeAsync();
        Assert.Contains(run.Seen, e => e.Object.Metadata.Name == "a");
    }

    [Fact]
    public async Task An_index_follows()
    {
        var server = new FaultyServer();
        await using var run = new Run(server);
        var byLetter = run.Informer.AddIndex(c => [c.Metadata.Name[..1]]);
        server.Put("ab");
        server.Put("ac");
        server.Put("b");
        await run.AgreeAsync();
        Assert.Equal(["ab", "ac"], byLetter.Get("a").Select(o => o.Metadata.Name).Order());
        server.Delete("ab");
        server.Delete("b");
        await run.AgreeAsync();
        Assert.Equal(["ac"], byLetter.Get("a").Select(o => o.Metadata.Name));
        Assert.Empty(byLetter.Get("b"));
    }

    [Fact]
    public async Task Cancelling_ends_it_cleanly()
    {
        var server = new FaultyServer();
        var run = new Run(server);
        await run.Informer.Synced.WaitAsync(Deadline);
        await run.DisposeAsync();
        Assert.True(run.Running.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task After_any_faults_the_copy_equals_the_server() =>
        await Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 4]).Array[1, 40].Select(Gen.Bool, Gen.Bool).SampleAsync(
            async (steps, refusesWatchList, duplicates) =>
            {
                var server = new FaultyServer { RefusesWatchList = refusesWatchList, Duplicates = duplicates };
                server.Put("o1");
                await using var run = new Run(server);
                foreach (var (step, number) in steps)
                {
                    await ApplyAsync(server, run, step, number);
                }

                await run.AgreeAsync();
            },
            iter: 150,
            threads: 1);

    private static async Task ApplyAsync(FaultyServer server, Run run, Step step, int number)
    {
        switch (step)
        {
            case Step.Put:
                server.Put($"o{number}");
                break;
            case Step.Delete:
                server.Delete($"o{number}");
                break;
            case Step.CutMidLine:
                server.CutMidLine();
                break;
            case Step.Reset:
                server.Reset();
                break;
            case Step.EndCleanly:
                server.EndCleanly();
                break;
            case Step.Compact:
                server.Compact();
                break;
            case Step.Fail:
                server.FailNext(number);
                break;
            case Step.Pause:
                await run.AgreeAsync();
                break;
        }
    }

    /// <summary>An informer at work, and a second copy built from its events alone.</summary>
    private sealed class Run : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly FaultyServer _server;
        private readonly FakeHandler _handler;
        private readonly SemaphoreSlim _asked = new(0);
        private readonly List<InformerEvent<V1ConfigMap>> _seen = [];
        private readonly Dictionary<string, string> _replayed = [];
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _markers;

        internal Run(
            FaultyServer server, TimeProvider? time = null, InformerOptions? options = null, Func<HttpRequestMessage, HttpResponseMessage?>? first = null)
        {
            _server = server;
            _handler = new FakeHandler((request, body) =>
            {
                _asked.Release();
                return first?.Invoke(request) ?? server.Answer(request, body);
            });
            var client = new ApiClient(new HttpMessageInvoker(_handler), new ApiClientOptions { BaseAddress = new Uri("https://server") });
            options ??= new InformerOptions { MinRetryDelay = TimeSpan.FromMilliseconds(1), MaxRetryDelay = TimeSpan.FromMilliseconds(5), PageSize = 10 };
            Informer = new Informer<V1ConfigMap>(client, options, time ?? TimeProvider.System, new Random(1), NullLogger.Instance);
            Informer.Subscribe(Record);
            Running = Task.Run(() => Informer.RunAsync(_stop.Token));
        }

        internal Informer<V1ConfigMap> Informer { get; }

        internal Task Running { get; }

        internal IReadOnlyList<InformerEvent<V1ConfigMap>> Seen
        {
            get
            {
                lock (_seen)
                {
                    return [.. _seen];
                }
            }
        }

        internal int Requests => _handler.Requests.Count;

        internal async Task RequestsAsync(int count)
        {
            using var deadline = new CancellationTokenSource(Deadline);
            while (_handler.Requests.Count < count)
            {
                await _asked.WaitAsync(deadline.Token);
            }
        }

        /// <summary>Writes a marker and waits for it: all before it has been seen then.</summary>
        internal async Task AgreeAsync()
        {
            var marker = $"marker-{++_markers}";
            _server.Put(marker);
            using var deadline = new CancellationTokenSource(Deadline);
            while (true)
            {
                Task changed;
                lock (_seen)
                {
                    if (_replayed.ContainsKey(marker))
                    {
                        break;
                    }

                    changed = _changed.Task;
                }

                await changed.WaitAsync(deadline.Token);
            }

            var copy = Informer.List().ToDictionary(o => o.Metadata.Name, o => o.Metadata.ResourceVersion);
            Assert.Equal(_server.Versions.OrderBy(o => o.Key), copy.OrderBy(o => o.Key));
            lock (_seen)
            {
                Assert.Equal(copy.OrderBy(o => o.Key), _replayed.OrderBy(o => o.Key));
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Running;
        }

        private void Record(InformerEvent<V1ConfigMap> e)
        {
            lock (_seen)
            {
                var name = e.Object.Metadata.Name;
                _seen.Add(e);
                Assert.Equal(e.Type != WatchEventKind.Added, _replayed.ContainsKey(name));
                if (e.Type == WatchEventKind.Deleted)
                {
                    _replayed.Remove(name);
                }
                else
                {
                    _replayed[name] = e.Object.Metadata.ResourceVersion;
                }

                _changed.TrySetResult();
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
