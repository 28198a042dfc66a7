using k8s.Models;
using Podhost.Control.Controllers.ReplicaSets;

namespace Podhost.Control.Tests.Workloads;

/// <summary>What the status of a ReplicaSet tells of pods that are on their way out, of refusals, and of what others wrote into it.</summary>
public sealed class ReplicaSetStatusTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Pods_on_their_way_out_are_counted_apart()
    {
        var (ready, going, gone) = (Objects.Pod("a", "", ready: true), Objects.Pod("b", "", ready: true), Objects.Pod("c", "", ready: false));
        going.Metadata.DeletionTimestamp = gone.Metadata.DeletionTimestamp = Now.UtcDateTime;
        gone.Status.Phase = "Failed";
        var status = ReplicaSetDecider.StatusOf(Set(), [ready, going, gone], null, Now);
        Assert.Equal((1, 1, 1), (status.Replicas, status.ReadyReplicas, status.TerminatingReplicas));
        Assert.Null(status.Conditions);
    }

    [Fact]
    public void A_refusal_is_told_until_it_is_over_and_conditions_of_others_stay()
    {
        var set = Set();
        set.Status = new V1ReplicaSetStatus { Conditions = [new V1ReplicaSetCondition { Type = "Other", Status = "True" }] };
        set.Status = ReplicaSetDecider.StatusOf(set, [], new Refusal("FailedCreate", "no room"), Now);
        Assert.Equal(["Other: ", "ReplicaFailure: FailedCreate, no room"], Told(set.Status));

        // It keeps the time at which it began.
        Assert.Equal(Now.UtcDateTime, ReplicaSetDecider.StatusOf(set, [], new Refusal("FailedCreate", "still none"), Now.AddHours(1)).Conditions[1].LastTransitionTime);
        Assert.Equal(["Other: "], Told(ReplicaSetDecider.StatusOf(set, [], null, Now)));
    }

    private static IEnumerable<string> Told(V1ReplicaSetStatus status) =>
        status.Conditions.Select(c => c.Reason is null ? $"{c.Type}: " : $"{c.Type}: {c.Reason}, {c.Message}");

    private static V1ReplicaSet Set() => new()
    {
        Metadata = new V1ObjectMeta { Name = "web", Generation = 1 },
        Spec = new V1ReplicaSetSpec { Replicas = 1, Template = new V1PodTemplateSpec { Metadata = new V1ObjectMeta() } },
    };
}
