using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers;

namespace Podhost.Control.Tests;

public sealed class QueueControllerTests
{
    private static readonly ObjectKey Key = new("default", "web");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Nothing_is_followed_before_the_copies_are_whole()
    {
        using var stop = new CancellationTokenSource();
        var controller = new Recorder { Sources = { new TaskCompletionSource(), new TaskCompletionSource() } };
        var run = controller.RunAsync(stop.Token);
        controller.Sources[0].SetResult();
        Assert.Empty(controller.Log);
        controller.Sources[1].SetResult();
        Assert.Equal(Key, await controller.Handled.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(["+first", "+second"], controller.Log);
        await stop.CancelAsync();
        await run.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Subscriptions_end_in_reverse_order_when_it_is_stopped()
    {
        using var stop = new CancellationTokenSource();
        var controller = new Recorder();
        var run = controller.RunAsync(stop.Token);
        await controller.Handled.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(["+first", "+second", "-second", "-first"], controller.Log);
    }

    [Fact]
    public async Task A_subscription_that_fails_ends_those_before_it()
    {
        var controller = new Recorder { Fault = new InvalidOperationException("no") };
        await Assert.ThrowsAsync<InvalidOperationException>(() => controller.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["+first", "-first"], controller.Log);
    }

    [Fact]
    public async Task A_stop_while_it_waits_for_the_copies_is_heard()
    {
        using var stop = new CancellationTokenSource();
        var controller = new Recorder { Sources = { new TaskCompletionSource() } };
        var run = controller.RunAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Empty(controller.Log);
    }

    private sealed class Recorder() : QueueController(1, TimeProvider.System, NullLogger.Instance)
    {
        public List<TaskCompletionSource> Sources { get; } = [];

        public ConcurrentQueue<string> Log { get; } = [];

        public TaskCompletionSource<ObjectKey> Handled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Exception? Fault { get; init; }

        protected override IReadOnlyList<Task> Synced => [.. Sources.Select(s => s.Task)];

        protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
        {
            yield return new Subscription(Log, "first");
            if (Fault is not null)
            {
                throw Fault;
            }

            yield return new Subscription(Log, "second");
            queue.Add(Key);
        }

        protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
        {
            Handled.TrySetResult(key);
            return Task.CompletedTask;
        }
    }

    private sealed class Subscription : IDisposable
    {
        private readonly ConcurrentQueue<string> _log;
        private readonly string _name;

        public Subscription(ConcurrentQueue<string> log, string name)
        {
            (_log, _name) = (log, name);
            log.Enqueue("+" + name);
        }

        public void Dispose() => _log.Enqueue("-" + _name);
    }
}
