using k8s.Models;
using Podhost.Kubelet.Status;

namespace Podhost.Kubelet.Tests.Status;

/// <summary>What a status takes away from the object in the API.</summary>
public sealed class StatusPatchTests
{
    [Fact]
    public void A_condition_that_does_not_hold_any_more_is_removed_and_a_disruption_never()
    {
        // After a restart the kubelet knows of no eviction; the scheduler's preemption it never knew.
        var inApi = new V1PodStatus
        {
            Conditions =
            [
                new V1PodCondition { Type = "PodResizeInProgress", Status = "True" },
                new V1PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "TerminationByKubelet" },
                new V1PodCondition { Type = "example.com/gate", Status = "True" },
            ],
        };
        var patch = StatusPatch.Of("u", new V1PodStatus { Phase = "Failed", Conditions = [new V1PodCondition { Type = "Ready", Status = "False" }] }, inApi);
        Assert.Equal(
            ["Ready", "-PodResizeInProgress"],
            patch["status"]!["conditions"]!.AsArray().Select(c => (c!["$patch"] is null ? "" : "-") + (string)c["type"]!));
    }
}
