using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Client.Events;
using Podhost.Client.Tests.Fakes;

namespace Podhost.Client.Tests.Events;

public sealed class EventBroadcasterTests
{
    private readonly ObjectServer _server = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private static V1ObjectReference Pod(string name) => new() { ApiVersion = "v1", Kind = "Pod", Name = name, NamespaceProperty = "ns", Uid = "u-" + name };

    private EventBroadcaster Broadcaster(int queue = 100, int attempts = 3, TimeProvider? time = null)
    {
        var client = new ApiClient(new HttpMessageInvoker(new FakeHandler((r, b) => _server.Answer(r, b))), new ApiClientOptions { BaseAddress = new Uri("https://s") });
        var options = new EventBroadcasterOptions
        {
            Component = "kubelet", Host = "n1", QueueLength = queue, Attempts = attempts, MaxRetryDelay = TimeSpan.FromMilliseconds(2),
        };
        return new EventBroadcaster(client, options, time ?? _time, new Random(1), NullLogger.Instance);
    }

    private static async Task SendAllAsync(EventBroadcaster events) => await events.RunAsync(new CancellationToken(canceled: true), TimeSpan.FromSeconds(10));

    [Fact]
    public async Task Equal_events_are_counted_and_others_are_not()
    {
        var events = Broadcaster();
        for (var i = 0; i < 5; i++)
        {
            events.Emit(Pod("a"), "Warning", "BackOff", "Back-off restarting failed container");
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        events.Emit(Pod("a"), "Normal", "Pulled", "image is present");
        events.Emit(Pod("b"), "Warning", "BackOff", "Back-off restarting failed container");
        await SendAllAsync(events);

        Assert.Equal(3, _server.Objects.Count);
        var counted = Assert.Single(_server.Objects.Values, o => (int)o["count"]! == 5);
        Assert.Equal("2026-01-02T03:04:05Z", (string)counted["firstTimestamp"]!);
        Assert.Equal("2026-01-02T03:04:45Z", (string)counted["lastTimestamp"]!);
        Assert.Equal("kubelet", (string)counted["source"]!["component"]!);
        Assert.Equal("n1", (string)counted["source"]!["host"]!);
        Assert.Equal("a", (string)counted["involvedObject"]!["name"]!);
        Assert.StartsWith("a.", (string)counted["metadata"]!["name"]!);
        Assert.Equal(0, events.Dropped);
    }

    [Fact]
    public async Task An_event_that_the_server_has_forgotten_starts_a_new_count()
    {
        var events = Broadcaster();
        events.Emit(Pod("a"), "Normal", "R", "m");
        await SendAllAsync(events);
        _server.Objects.Clear();
        events.Emit(Pod("a"), "Normal", "R", "m");
        await SendAllAsync(events);
        Assert.Equal(1, (int)Assert.Single(_server.Objects.Values)["count"]!);
    }

    [Fact]
    public async Task A_full_queue_drops_the_oldest_and_counts_it()
    {
        var events = Broadcaster(queue: 2);
        foreach (var name in new[] { "a", "b", "c" })
        {
            events.Emit(Pod(name), "Normal", "R", "m");
        }

        await SendAllAsync(events);
        Assert.Equal(["b", "c"], _server.Objects.Values.Select(o => (string)o["involvedObject"]!["name"]!).Order());
        Assert.Equal(1, events.Dropped);
    }

    [Fact]
    public async Task Failures_are_tried_again_and_refusals_are_not()
    {
        var failures = 2;
        var asked = 0;
        _server.Fault = _ => ++asked > 0 && failures-- > 0 ? FakeHandler.Status(500, "InternalError", "down") : null;
        var events = Broadcaster(time: TimeProvider.System);
        events.Emit(Pod("a"), "Normal", "R", "m");
        await SendAllAsync(events);
        Assert.Single(_server.Objects);
        Assert.Equal(3, asked);

        _server.Fault = _ => ++asked > 0 ? FakeHandler.Status(403, "Forbidden", "namespace is being terminated") : null;
        events.Emit(Pod("b"), "Normal", "R", "m");
        await SendAllAsync(events);
        Assert.Equal(4, asked);
        Assert.Equal(1, events.Dropped);
    }

    [Fact]
    public void Memory_forgets_the_least_recently_used()
    {
        var memory = new EventMemory(2);
        EventIdentity Id(string name) => EventIdentity.Of(Pod(name), "Normal", "R", "m");
        memory.Remember(Id("a"), new Corev1Event());
        memory.Remember(Id("b"), new Corev1Event());
        Assert.NotNull(memory.Find(Id("a")));
        memory.Remember(Id("c"), new Corev1Event());
        Assert.NotNull(memory.Find(Id("a")));
        Assert.Null(memory.Find(Id("b")));
    }
}
