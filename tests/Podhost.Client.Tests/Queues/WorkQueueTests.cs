using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Client.Queues;

namespace Podhost.Client.Tests.Queues;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private WorkQueue<string> Queue(WorkQueueOptions? options = null) => new(options ?? new WorkQueueOptions(), _time, NullLogger.Instance);

    [Fact]
    public async Task A_key_is_in_the_queue_once()
    {
        using var queue = Queue();
        queue.Add("a");
        queue.Add("b");
        queue.Add("a");
        Assert.Equal(2, queue.Count);
        Assert.Equal("a", await queue.TakeAsync(Ct));
        Assert.Equal("b", await queue.TakeAsync(Ct));
    }

    [Fact]
    public async Task A_key_added_while_in_work_comes_back_when_done()
    {
        using var queue = Queue();
        queue.Add("a");
        await queue.TakeAsync(Ct);
        queue.Add("a");
        queue.Add("a");
        Assert.Equal(0, queue.Count);
        queue.Done("a");
        Assert.Equal(1, queue.Count);
        await queue.TakeAsync(Ct);
        queue.Done("a");
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void Delayed_keys_come_when_due_and_the_earlier_moment_counts()
    {
        using var queue = Queue();
        queue.AddAfter("a", TimeSpan.FromSeconds(10));
        queue.AddAfter("a", TimeSpan.FromSeconds(3));
        queue.AddAfter("a", TimeSpan.FromSeconds(20));
        queue.AddAfter("b", TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal(0, queue.Count);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, queue.Count);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, queue.Count);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, queue.Count);
    }

    [Fact]
    public void Failures_back_off_exponentially_until_forgotten()
    {
        var options = new WorkQueueOptions { MinRetryDelay = TimeSpan.FromSeconds(1), MaxRetryDelay = TimeSpan.FromSeconds(5) };
        var rate = new RetryRate<string>(options);
        Assert.Equal([1, 2, 4, 5, 5], Enumerable.Range(0, 5).Select(_ => rate.Next("a", _time.GetUtcNow()).TotalSeconds));
        Assert.Equal(1, rate.Next("b", _time.GetUtcNow()).TotalSeconds);
        rate.Forget("a");
        Assert.Equal(1, rate.Next("a", _time.GetUtcNow()).TotalSeconds);
    }

    [Fact]
    public void All_keys_together_are_bounded_by_the_rate()
    {
        var rate = new RetryRate<int>(new WorkQueueOptions { MinRetryDelay = TimeSpan.Zero, RetryBurst = 2, RetriesPerSecond = 10 });
        Assert.Equal([0, 0, 100, 200], Enumerable.Range(0, 4).Select(i => rate.Next(i, _time.GetUtcNow()).TotalMilliseconds));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, rate.Next(9, _time.GetUtcNow()).TotalMilliseconds);
    }

    [Fact]
    public async Task A_failed_key_is_worked_on_again()
    {
        using var queue = new WorkQueue<string>(new WorkQueueOptions { MinRetryDelay = TimeSpan.FromMilliseconds(1) }, TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var succeeded = new TaskCompletionSource();
        var tries = 0;
        var running = queue.RunAsync(2, (key, _) => ++tries < 3 ? throw new InvalidOperationException("not yet") : Succeed(), stop.Token);
        queue.Add("a");
        await succeeded.Task.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        await stop.CancelAsync();
        await running;
        Assert.Equal(3, tries);
        Assert.Equal(0, queue.Failures("a"));

        Task Succeed()
        {
            succeeded.SetResult();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Work_that_asks_to_be_repeated_has_failed_and_its_back_off_grows()
    {
        using var queue = new WorkQueue<string>(new WorkQueueOptions { MinRetryDelay = TimeSpan.FromMilliseconds(1) }, TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var failures = new List<int>();
        var done = new TaskCompletionSource();
        var running = queue.RunAsync(
            1,
            (key, _) =>
            {
                failures.Add(queue.Failures(key));
                if (failures.Count < 4)
                {
                    queue.AddRateLimited(key);
                }
                else
                {
                    done.SetResult();
                }

                return Task.CompletedTask;
            },
            stop.Token);
        queue.Add("a");
        await done.Task.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        await stop.CancelAsync();
        await running;
        Assert.Equal([0, 1, 2, 3], failures);
        Assert.Equal(0, queue.Failures("a"));
    }

    [Fact]
    public async Task Under_load_no_key_is_worked_on_twice_at_once_and_the_last_add_is_seen() =>
        await Gen.Int[0, 3].Array[1, 100].SampleAsync(
            async adds =>
            {
                using var queue = new WorkQueue<int>(new WorkQueueOptions(), TimeProvider.System, NullLogger.Instance);
                using var stop = new CancellationTokenSource();
                var added = new int[4];
                var seen = new int[4];
                var inWork = new int[4];
                var overlap = false;
                var idle = new SemaphoreSlim(0);
                var running = queue.RunAsync(
                    4,
                    async (key, _) =>
                    {
                        overlap |= Interlocked.Increment(ref inWork[key]) != 1;
                        Volatile.Write(ref seen[key], Volatile.Read(ref added[key]));
                        await Task.Yield();
                        Interlocked.Decrement(ref inWork[key]);
                        idle.Release();
                    },
                    stop.Token);
                foreach (var key in adds)
                {
                    Interlocked.Increment(ref added[key]);
                    queue.Add(key);
                }

                while (!added.SequenceEqual(seen))
                {
                    Assert.True(await idle.WaitAsync(TimeSpan.FromSeconds(10)), "an add was lost");
                }

                await stop.CancelAsync();
                await running;
                Assert.False(overlap);
            },
            iter: 200,
            threads: 1);
}
