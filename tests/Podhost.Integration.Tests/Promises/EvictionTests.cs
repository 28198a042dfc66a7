using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Pods that hold more of the disk than they may.</summary>
public sealed class EvictionTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_volume_beyond_its_sizeLimit_ends_its_pod()
    {
        await K.ApplyAsync(ShellPod("greedy", "head -c 3145728 /dev/urandom > /v/big; sleep 1000", "volumeMounts: [{name: v, mountPath: /v}]",
            "volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}]"));
        await K.OkAsync("wait --for=jsonpath={.status.reason}=Evicted --timeout=60s pod/greedy");
        var status = (await K.JsonAsync("get pod greedy"))["status"]!;
        Assert.Equal("Failed", (string?)status["phase"]);
        Assert.Equal("Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". ", (string?)status["message"]);
        var disruption = status["conditions"]!.AsArray().Single(c => (string?)c!["type"] == "DisruptionTarget")!;
        Assert.Equal(("True", "TerminationByKubelet"), ((string?)disruption["status"], (string?)disruption["reason"]));
        Assert.NotNull(status["containerStatuses"]![0]!["state"]!["terminated"]);
        await K.EventAsync("greedy", "Evicted");
    }

    [Fact]
    public async Task A_container_and_a_pod_beyond_their_limits_of_local_storage_end_their_pods()
    {
        const string grows = "head -c 3145728 /dev/urandom > /big; sleep 1000";
        await K.ApplyAsync(ShellPod("whole", grows, "resources: {limits: {ephemeral-storage: 1Mi}}"));

        // The other container has enough for both: the pod as a whole does not exceed its limits.
        await K.ApplyAsync(ShellPod("part", grows, """
            resources: {limits: {ephemeral-storage: 1Mi}}
              - {name: other, image: "busybox:stable", command: [sleep, "1000"], resources: {limits: {ephemeral-storage: 1Gi}}}
            """));
        await K.OkAsync("wait --for=jsonpath={.status.reason}=Evicted --timeout=60s pod/whole pod/part");
        Assert.Equal("Failed Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ", await K.FieldAsync("whole", ".status.phase} {.status.message"));
        Assert.Equal("Failed Container main exceeded its local ephemeral storage limit \"1Mi\". ", await K.FieldAsync("part", ".status.phase} {.status.message"));
    }
}
