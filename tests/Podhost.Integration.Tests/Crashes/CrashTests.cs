using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Crashes;

/// <summary>kill -9 of podhost, on an instance of its own beside the shared one.</summary>
public sealed class CrashTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Pods_and_writes_survive_the_death_of_podhost()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var instance = await Instance.StartAsync();
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        await k.ApplyAsync(Pod("stays"));
        await k.ApplyAsync(Pod("goes"));
        await k.ReadyAsync("stays");
        await k.ReadyAsync("goes");
        var before = await StateAsync(k);
        var events = await StartsAsync(k);
        await k.OkAsync("create configmap acknowledged --from-literal=a=b");
        var backup = Path.Combine(instance.Root, "backup.tar");
        (await instance.PodhostAsync("backup", backup)).Ok();

        await instance.KillAsync();
        Assert.Contains("out of a pod", await PageAsync(before.Split(' ')[2])); // containers do not need podhost
        await instance.UpAsync();

        Assert.Equal("b", await k.OkAsync("get configmap acknowledged -o", "jsonpath={.data.a}"));
        await k.ReadyAsync("stays");
        await k.ShAsync("stays", "true");
        Assert.Equal(before, await StateAsync(k));
        Assert.Equal(events, await StartsAsync(k));

        // Killed once more right after a deletion was acknowledged: the pod goes all the same.
        await k.OkAsync("delete pod goes --wait=false");
        await instance.KillAsync();
        await instance.UpAsync();
        await k.OkAsync("wait pod/goes --for=delete --timeout=30s");
        Assert.Equal(before, await StateAsync(k));

        // The node still makes pods, and SIGTERM leaves them running.
        await k.ApplyAsync(Pod("new"));
        await k.ReadyAsync("new");
        Assert.Equal(0, await instance.TerminateAsync());
        Assert.Contains("out of a pod", await PageAsync(before.Split(' ')[2]));

        // The disk was lost; the backup is of the time when there was a pod "goes", and none that is called "new".
        Assert.Contains("exists: its objects would be lost", (await instance.PodhostAsync("restore", backup)).Fails(), StringComparison.Ordinal);
        Directory.Delete(Path.Combine(instance.Root, "data", "store"), recursive: true);
        Directory.Delete(Path.Combine(instance.Root, "data", "pki"), recursive: true);
        (await instance.PodhostAsync("restore", backup)).Ok();
        await instance.UpAsync();
        Assert.Equal("b", await k.OkAsync("get configmap acknowledged -o", "jsonpath={.data.a}"));
        await k.ReadyAsync("goes");
        Assert.Equal(before, await StateAsync(k));
        Assert.Contains("NotFound", (await k.RunAsync("get pod new")).Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_instances_run_side_by_side()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var other = await Instance.StartAsync();
        await ClusterFixture.LoadImagesAsync(other);
        await other.Kubectl.ApplyAsync(Pod("here"));
        await other.Kubectl.ReadyAsync("here");
        Assert.Equal(other.Node, await other.Kubectl.FieldAsync("here", ".spec.nodeName"));
        Assert.DoesNotContain(other.Node, await cluster.Instance.Kubectl.OkAsync("get nodes"));
        Assert.Contains("NotFound", (await cluster.Instance.Kubectl.RunAsync("get pod here")).Fails());
    }

    private static string Pod(string name) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - {name: web, image: "busybox:stable", command: [httpd, -f, -p, "8080", -h, /www]}
        """;

    private static Task<string> StateAsync(Kubectl k) =>
        k.FieldAsync("stays", ".status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount} {.status.podIP} {.metadata.uid");

    // How often the pod's container was made and started, as the events tell.
    private static async Task<string> StartsAsync(Kubectl k) => string.Join('\n', (await k.OkAsync(
        "get events --field-selector=involvedObject.name=stays -o", "jsonpath={range .items[*]}{.reason} {.count}{\"\\n\"}{end}"))
        .Split('\n').Where(l => l.Split(' ')[0] is "Created" or "Started" or "Killing" or "SandboxChanged" or "BackOff").Order());

    private static Task<string> PageAsync(string ip) => Shell.PageAsync($"http://{ip}:8080/");
}
