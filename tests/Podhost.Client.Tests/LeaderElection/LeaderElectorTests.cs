using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Client.LeaderElection;
using Podhost.Client.Tests.Fakes;

namespace Podhost.Client.Tests.LeaderElection;

public sealed class LeaderElectorTests
{
    private const string Path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/sched";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly ObjectServer _server = new();

    private LeaderElector Elector(string identity)
    {
        var client = new ApiClient(new HttpMessageInvoker(new FakeHandler((r, b) => _server.Answer(r, b))), new ApiClientOptions { BaseAddress = new Uri("https://s") });
        var options = new LeaderElectionOptions
        {
            Name = "sched",
            Identity = identity,
            LeaseDuration = TimeSpan.FromSeconds(1),
            RenewDeadline = TimeSpan.FromMilliseconds(300),
            RetryPeriod = TimeSpan.FromMilliseconds(20),
        };
        return new LeaderElector(client, options, TimeProvider.System, NullLogger.Instance);
    }

    [Fact]
    public async Task One_leads_and_another_follows_when_it_steps_down()
    {
        using var stopA = new CancellationTokenSource();
        using var stopB = new CancellationTokenSource();
        var (a, b) = (new Term(), new Term());
        var runA = Elector("a").RunAsync(a.LeadAsync, stopA.Token);
        await a.Started.WaitAsync(Deadline);
        var runB = Elector("b").RunAsync(b.LeadAsync, stopB.Token);
        Assert.False(b.Started.IsCompleted);

        await stopA.CancelAsync();
        await runA;
        Assert.True(a.Ended.IsCompleted);
        await b.Started.WaitAsync(Deadline);
        Assert.Equal("b", (string)_server.Objects[Path]["spec"]!["holderIdentity"]!);
        Assert.Equal(1, (int)_server.Objects[Path]["spec"]!["leaseTransitions"]!);
        await stopB.CancelAsync();
        await runB;
        Assert.Equal("", (string)_server.Objects[Path]["spec"]!["holderIdentity"]!);
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_stops_before_another_may_start()
    {
        using var stop = new CancellationTokenSource();
        var (a, b) = (new Term(), new Term());
        var runA = Elector("a").RunAsync(a.LeadAsync, stop.Token);
        await a.Started.WaitAsync(Deadline);
        _server.Fault = _ => FakeHandler.Status(500, "InternalError", "down");
        await a.Ended.WaitAsync(Deadline);

        _server.Fault = null;
        var runB = Elector("b").RunAsync(b.LeadAsync, stop.Token);
        await Task.WhenAny(b.Started, a.Again).WaitAsync(Deadline);
        await stop.CancelAsync();
        await Task.WhenAll(runA, runB);
    }

    [Fact]
    public async Task Work_that_fails_ends_the_election_and_frees_the_lease()
    {
        var run = Elector("a").RunAsync(_ => throw new InvalidOperationException("broken"), CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() => run.WaitAsync(Deadline));
        Assert.Equal("", (string)_server.Objects[Path]["spec"]!["holderIdentity"]!);
    }

    [Fact]
    public void A_foreign_lease_is_taken_only_when_it_was_seen_unchanged_for_its_duration()
    {
        var spec = new V1LeaseSpec { HolderIdentity = "other", LeaseDurationSeconds = 15 };
        Assert.False(LeaseRules.CanTake(spec, "me", TimeSpan.FromSeconds(14.9)));
        Assert.True(LeaseRules.CanTake(spec, "me", TimeSpan.FromSeconds(15)));
        Assert.True(LeaseRules.CanTake(spec, "other", TimeSpan.Zero));
        spec.HolderIdentity = "";
        Assert.True(LeaseRules.CanTake(spec, "me", TimeSpan.Zero));
    }

    private sealed class Term
    {
        private readonly TaskCompletionSource _started = new();
        private readonly TaskCompletionSource _ended = new();
        private readonly TaskCompletionSource _again = new();

        internal Task Started => _started.Task;

        internal Task Ended => _ended.Task;

        internal Task Again => _again.Task;

        internal async Task LeadAsync(CancellationToken term)
        {
            if (!_started.TrySetResult())
            {
                _again.TrySetResult();
            }

            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, term);
            }
            finally
            {
                _ended.TrySetResult();
            }
        }
    }
}
