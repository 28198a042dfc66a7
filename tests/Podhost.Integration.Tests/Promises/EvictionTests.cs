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
}
