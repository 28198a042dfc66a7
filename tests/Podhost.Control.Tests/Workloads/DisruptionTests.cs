using k8s.Models;
using Podhost.Control.Controllers.Disruption;

namespace Podhost.Control.Tests.Workloads;

/// <summary>What PodDisruptionBudgets count on and allow.</summary>
public sealed class DisruptionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2", null, 3, 3, 2)]
    [InlineData("50%", null, 3, 5, 3)]
    [InlineData(null, "1", 3, 5, 4)]
    [InlineData(null, "30%", 3, 5, 3)]
    [InlineData(null, "9", 3, 5, 0)]
    [InlineData(null, null, 3, 0, 0)]
    public void A_number_counts_pods_and_a_share_what_their_controllers_want(string? least, string? most, int pods, int expected, int healthy)
    {
        var found = DisruptionDecider.Expect(Budget(least, most), Pods(pods, pods), _ => new ControllerScale("set", 5));
        Assert.Equal((expected, healthy), (found.Pods, found.Healthy));
    }

    [Fact]
    public void Pods_without_a_controller_are_left_out_and_a_controller_without_a_scale_is_a_fault()
    {
        var pods = Pods(3, 3);
        var mixed = DisruptionDecider.Expect(Budget(null, "1"), pods, p => p == pods[0] ? null : new ControllerScale("set", 2));
        Assert.Equal(new ExpectedPods(2, 1, HasUnmanaged: true), mixed);
        var faulty = DisruptionDecider.Expect(Budget(null, "1"), pods, _ => new ControllerScale("job", 0, "no scale"));
        Assert.Equal("no scale", faulty.Fault);
        var status = DisruptionDecider.Failed(Budget(null, "1"), "no scale", Now);
        Assert.Equal((0, "SyncFailed", "False"), (status.DisruptionsAllowed, status.Conditions[0].Reason, status.Conditions[0].Status));
    }

    [Theory]
    [InlineData(3, 3, 1, "SufficientPods", "True")]
    [InlineData(3, 2, 0, "InsufficientPods", "False")]
    [InlineData(3, 1, 0, "InsufficientPods", "False")]
    public void What_is_healthy_beyond_the_need_may_go(int pods, int ready, int allowed, string reason, string status)
    {
        var plan = DisruptionDecider.Decide(Budget("2", null), Pods(pods, ready), new ExpectedPods(3, 2), Now);
        Assert.Equal((allowed, ready, 2, 3), (plan.Status.DisruptionsAllowed, plan.Status.CurrentHealthy, plan.Status.DesiredHealthy, plan.Status.ExpectedPods));
        Assert.Equal((reason, status, Now.UtcDateTime), (plan.Status.Conditions[0].Reason, plan.Status.Conditions[0].Status, plan.Status.Conditions[0].LastTransitionTime));
    }

    [Fact]
    public void A_pod_that_was_evicted_does_not_count_until_it_goes_or_its_time_is_over()
    {
        var budget = Budget("2", null);
        budget.Status = new V1PodDisruptionBudgetStatus
        {
            DisruptedPods = new Dictionary<string, DateTime?> { ["p0"] = Now.UtcDateTime.AddSeconds(-30), ["gone"] = Now.UtcDateTime },
        };
        var plan = DisruptionDecider.Decide(budget, Pods(3, 3), new ExpectedPods(3, 2), Now);
        Assert.Equal((2, 0), (plan.Status.CurrentHealthy, plan.Status.DisruptionsAllowed));
        Assert.Equal(["p0"], plan.Status.DisruptedPods.Keys);
        Assert.Equal(TimeSpan.FromSeconds(90), plan.RecheckAfter);

        var later = DisruptionDecider.Decide(budget, Pods(3, 3), new ExpectedPods(3, 2), Now.AddSeconds(90));
        Assert.Equal((3, 1), (later.Status.CurrentHealthy, later.Status.DisruptionsAllowed));
        Assert.Equal("p0", Assert.Single(later.NotDeleted).Metadata.Name);
        Assert.Null(later.Status.DisruptedPods);
    }

    private static V1PodDisruptionBudget Budget(string? least, string? most) => new()
    {
        Metadata = new V1ObjectMeta { Name = "b", NamespaceProperty = "default", Generation = 1 },
        Spec = new V1PodDisruptionBudgetSpec { MinAvailable = least, MaxUnavailable = most },
    };

    private static List<V1Pod> Pods(int count, int ready) => [.. Enumerable.Range(0, count).Select(i => Objects.Pod($"p{i}", "10.0.0.1", i < ready))];
}
