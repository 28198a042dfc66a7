using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promises 1, 2 and 4: a pod groups containers on one address, is applied and listed, and described.</summary>
public sealed class GroupTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Containers_of_a_pod_share_one_address_and_reach_each_other_on_localhost()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: two}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: first, image: "busybox:stable", command: [httpd, -f, -p, "8080", -h, /www], readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}
              - {name: second, image: "busybox:stable", command: [httpd, -f, -p, "8081", -h, /www], readinessProbe: {tcpSocket: {port: 8081}, periodSeconds: 1}}
            """);
        await K.ReadyAsync("two");
        var ip = await K.FieldAsync("two", ".status.podIP");
        using var http = new HttpClient();
        Assert.Contains("out of a pod", await http.GetStringAsync($"http://{ip}:8080/"));
        Assert.Contains("out of a pod", await http.GetStringAsync($"http://{ip}:8081/"));
        Assert.Contains("out of a pod", await K.ShAsync("two", "wget -qO- http://localhost:8081/", "first"));
        Assert.Contains("out of a pod", await K.ShAsync("two", "wget -qO- http://localhost:8080/", "second"));
        Assert.Contains(ip, await K.ShAsync("two", "cat /etc/hosts", "first"));
    }

    [Fact]
    public async Task The_sample_is_applied_listed_and_serves_its_page()
    {
        await K.OkAsync("apply -f", Path.Combine(Executable.Source, "examples/pod-sample.yaml"));
        await K.ReadyAsync("kubernetes-simple-pod");
        Assert.Matches(@"NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\nkubernetes-simple-pod\s+1/1\s+Running\s+0\s", await K.OkAsync("get pods kubernetes-simple-pod"));
        var ip = await K.FieldAsync("kubernetes-simple-pod", ".status.podIP");
        // The sample has no readiness probe: its server may still be starting.
        Assert.Equal("Hello, World! This page comes out of a pod.\n", await Shell.PageAsync($"http://{ip}:8080/"));
        var described = await K.OkAsync("describe pods kubernetes-simple-pod");
        foreach (var condition in new[] { "PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready" })
        {
            Assert.Matches($@"\n  {condition}\s+True", described);
        }

        foreach (var reason in new[] { "Scheduled", "Pulled", "Created", "Started" })
        {
            Assert.Matches($@"Normal\s+{reason}\s", described);
        }
    }

    [Fact]
    public async Task A_pod_that_fits_nowhere_says_so()
    {
        await K.ApplyAsync(ShellPod("huge", "sleep 1000", "resources: {requests: {memory: 900Gi}}"));
        await K.EventAsync("huge", "FailedScheduling");
        Assert.Equal("Pending", await K.FieldAsync("huge", ".status.phase"));
        var condition = "?(@.type==\"PodScheduled\")";
        Assert.Equal("False Unschedulable", await K.FieldAsync("huge", $".status.conditions[{condition}].status}} {{.status.conditions[{condition}].reason"));
        Assert.StartsWith("0/1 nodes are available: 1 Insufficient memory.", await K.FieldAsync("huge", $".status.conditions[{condition}].message"));
        Assert.Matches(@"PodScheduled\s+False", await K.OkAsync("describe pod huge"));
        await K.OkAsync("delete pod huge --timeout=20s");
    }

    [Fact]
    public async Task An_invalid_pod_is_refused_with_every_cause()
    {
        var error = (await K.RunAsync(["apply", "-f", "-"], """
            apiVersion: v1
            kind: Pod
            metadata: {name: Invalid_Name}
            spec: {containers: [{image: "busybox:stable"}]}
            """)).Fails();
        Assert.Contains("spec.containers[0].name: Required value", error);
        Assert.Contains("metadata.name: Invalid value: \"Invalid_Name\"", error);
    }
}
