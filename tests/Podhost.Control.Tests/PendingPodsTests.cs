using Podhost.Control.Scheduler;

namespace Podhost.Control.Tests;

public sealed class PendingPodsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_pod_that_fitted_nowhere_waits_for_a_change_and_its_back_off()
    {
        var pending = new PendingPods();
        pending.Put(Objects.Asking("p", "1", "1Gi"));
        pending.Failed("uid-p", Now, pending.Changes);
        Assert.Empty(pending.Ready(Now.AddMinutes(1)));
        Assert.Null(pending.NextAt(Now));
        pending.ClusterChanged();
        Assert.Empty(pending.Ready(Now));
        Assert.Equal(Now.AddSeconds(1), pending.NextAt(Now));
        Assert.Single(pending.Ready(Now.AddSeconds(1)));
    }

    [Fact]
    public void A_change_while_a_try_ran_is_not_lost()
    {
        var pending = new PendingPods();
        pending.Put(Objects.Asking("p", "1", "1Gi"));
        var seen = pending.Changes;
        pending.ClusterChanged();
        pending.Failed("uid-p", Now, seen);
        Assert.Single(pending.Ready(Now.AddSeconds(1)));
    }

    [Fact]
    public void Higher_priority_goes_first_then_the_older()
    {
        var pending = new PendingPods();
        foreach (var (name, priority, minute) in new[] { ("young", 0, 2), ("old", 0, 1), ("important", 10, 3) })
        {
            var pod = Objects.Asking(name, "1", "1Gi");
            pod.Spec.Priority = priority;
            pod.Metadata.CreationTimestamp = Now.AddMinutes(minute).UtcDateTime;
            pending.Put(pod);
        }

        Assert.Equal(["important", "old", "young"], pending.Ready(Now).Select(p => p.Metadata.Name));
    }
}
