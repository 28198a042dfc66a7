using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>What the server itself writes into PersistentVolumes and lets be changed of claims.</summary>
public sealed class PersistentVolumeTests
{
    private const string Volumes = "/api/v1/persistentvolumes";

    [Fact]
    public async Task A_volume_says_since_when_it_has_its_phase()
    {
        await using var cluster = await Cluster.StartAsync();
        var made = await cluster.CreateAsync(
            Volumes, """{"metadata":{"name":"v"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/v"}},"status":{"phase":"Bound"}}""");
        Assert.Equal("Pending", made["status"]!["phase"]!.GetValue<string>());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", made["status"]!["lastPhaseTransitionTime"]!.GetValue<string>());

        const string LongAgo = "2001-02-03T04:05:06Z";
        Assert.Equal(LongAgo, await SinceAsync(cluster, $$$"""{"lastPhaseTransitionTime":"{{{LongAgo}}}"}"""));
        Assert.Equal(LongAgo, await SinceAsync(cluster, """{"message":"of the same phase"}"""));
        Assert.NotEqual(LongAgo, await SinceAsync(cluster, """{"phase":"Available"}"""));
    }

    private static async Task<string> SinceAsync(Cluster cluster, string status)
    {
        var answer = await cluster.MergeAsync(Volumes + "/v/status", $$$"""{"status":{{{status}}}}""");
        Assert.Equal(200, answer.Code);
        return answer.Json["status"]!["lastPhaseTransitionTime"]!.GetValue<string>();
    }
}
