using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Queue;

namespace Podhost.Control.Tests;

public sealed class SchedulingQueueTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly SchedulingQueue _queue = new();

    [Fact]
    public void A_pod_that_fitted_nowhere_waits_for_a_change_that_helps_and_for_its_back_off()
    {
        Try(ClusterChange.PodGone);
        Assert.Null(_queue.Take(Now.AddMinutes(1)));
        _queue.Changed(ClusterChange.NodeLabels);
        Assert.Null(_queue.Take(Now.AddMinutes(1)));
        _queue.Changed(ClusterChange.PodGone | ClusterChange.NodeLabels);
        Assert.Null(_queue.Take(Now));
        Assert.Equal(Now.AddSeconds(1), _queue.NextAt());
        Assert.NotNull(_queue.Take(Now.AddSeconds(1)));
    }

    [Fact]
    public void The_back_off_doubles_up_to_ten_seconds()
    {
        _queue.Put(Objects.Asking("p", "1", "1Gi"));
        var now = Now;
        foreach (var seconds in (int[])[1, 2, 4, 8, 10, 10])
        {
            Assert.NotNull(_queue.Take(now));
            _queue.Retry("uid-p", now);
            Assert.Equal(now.AddSeconds(seconds), _queue.NextAt());
            now = now.AddSeconds(seconds);
        }
    }

    [Fact]
    public void A_change_while_a_try_ran_is_not_lost()
    {
        _queue.Put(Objects.Asking("p", "1", "1Gi"));
        Assert.NotNull(_queue.Take(Now));
        _queue.Changed(ClusterChange.NodeAdded);
        _queue.Refused("uid-p", Now, ClusterChange.NodeAdded);
        Assert.NotNull(_queue.Take(Now.AddSeconds(1)));
    }

    [Fact]
    public void A_changed_spec_is_tried_at_once_and_a_changed_status_is_not()
    {
        Try(ClusterChange.NodeAdded);
        var pod = Objects.Asking("p", "1", "1Gi");
        _queue.Put(pod);
        Assert.Null(_queue.Take(Now));
        pod = Objects.Asking("p", "2", "1Gi");
        pod.Metadata.Generation = 2;
        _queue.Put(pod);
        Assert.Same(pod, _queue.Take(Now));
    }

    [Fact]
    public void What_waits_for_five_minutes_is_tried_anyway()
    {
        Try(ClusterChange.NodeAdded);
        Assert.Null(_queue.Take(Now.AddMinutes(5).AddTicks(-1)));
        Assert.NotNull(_queue.Take(Now.AddMinutes(5)));
    }

    [Fact]
    public void Higher_priority_goes_first_then_the_older()
    {
        foreach (var (name, priority, minute) in new[] { ("young", 0, 2), ("old", 0, 1), ("important", 10, 3) })
        {
            var pod = Objects.Asking(name, "1", "1Gi");
            pod.Spec.Priority = priority;
            pod.Metadata.CreationTimestamp = Now.AddMinutes(minute).UtcDateTime;
            _queue.Put(pod);
        }

        Assert.Equal(["important", "old", "young"], Enumerable.Range(0, 3).Select(_ => _queue.Take(Now)!.Metadata.Name));
    }

    [Fact]
    public void A_heartbeat_of_a_node_is_no_change()
    {
        var before = Objects.Node("a");
        var after = Objects.Node("a");
        after.Metadata.ResourceVersion = "2";
        after.Status.Conditions = [new k8s.Models.V1NodeCondition { Type = "Ready", Status = "True", LastHeartbeatTime = Now.UtcDateTime }];
        Assert.Equal(ClusterChange.None, ClusterChanges.Of(before, after));
        Assert.Equal(ClusterChange.NodeAllocatable, ClusterChanges.Of(before, Objects.Node("a", cpu: "5")));
    }

    private void Try(ClusterChange wakes)
    {
        _queue.Put(Objects.Asking("p", "1", "1Gi"));
        Assert.NotNull(_queue.Take(Now));
        _queue.Refused("uid-p", Now, wakes);
    }
}
