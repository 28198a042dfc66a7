using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promise 9: static pods.</summary>
public sealed class StaticPodTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_manifest_in_the_directory_runs_is_shown_and_obeys_the_file_alone()
    {
        var file = Path.Combine(Cluster.StaticPods, "static.yaml");
        var name = $"fromfile-{Cluster.Node}";
        await WriteAsync(file, "first");
        await K.EventAsync(name, "Started");
        await K.ReadyAsync(name);
        Assert.Equal("file Node", await K.FieldAsync(name, ".metadata.annotations.kubernetes\\.io/config\\.source} {.metadata.ownerReferences[0].kind"));
        var id = await K.FieldAsync(name, ".status.containerStatuses[0].containerID");
        await PrintsAsync(name, "first");

        // Deleting what is shown does not stop what runs: it is shown again.
        var uid = await K.FieldAsync(name, ".metadata.uid");
        await K.OkAsync($"delete pod {name} --wait=false --grace-period=0 --force");
        await ShownAgainAsync(name, uid);
        await K.ReadyAsync(name);
        Assert.Equal(id, await K.FieldAsync(name, ".status.containerStatuses[0].containerID"));

        // A changed file is another pod.
        uid = await K.FieldAsync(name, ".metadata.uid");
        await WriteAsync(file, "second");
        await ShownAgainAsync(name, uid);
        await K.ReadyAsync(name);
        await PrintsAsync(name, "second");

        File.Delete(file);
        await K.OkAsync($"wait pod/{name} --for=delete --timeout=30s");
    }

    [Fact]
    public async Task What_is_shown_can_be_edited_and_deleted_and_the_same_container_runs_on()
    {
        var file = Path.Combine(Cluster.StaticPods, "mirrored.yaml");
        var name = $"mirrored-{Cluster.Node}";
        await WriteAsync(file, "mirrored", "mirrored");
        await K.EventAsync(name, "Started");
        await K.ReadyAsync(name);
        await PrintsAsync(name, "mirrored");
        const string Running = ".status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount";
        var running = await K.FieldAsync(name, Running);
        await K.ShAsync(name, "echo kept > /tmp/mark");

        // An edit is of what is shown alone, and ends with it.
        await K.OkAsync($"label pod {name} edited=yes");
        await K.OkAsync($"set image pod/{name} main=busybox:other");
        var uid = await K.FieldAsync(name, ".metadata.uid");
        await K.OkAsync($"delete pod {name} --wait=false");
        await ShownAgainAsync(name, uid);
        await K.ReadyAsync(name);
        Assert.Equal("busybox:stable|", await K.FieldAsync(name, ".spec.containers[0].image}|{.metadata.labels.edited"));
        Assert.Equal(running, await K.FieldAsync(name, Running));
        Assert.Equal("kept\n", await K.ShAsync(name, "cat /tmp/mark"));
        await PrintsAsync(name, "mirrored");

        File.Delete(file);
        await K.OkAsync($"wait pod/{name} --for=delete --timeout=30s");
    }

    [Fact]
    public async Task A_pod_whose_file_is_changed_or_removed_is_shown_until_it_has_ended()
    {
        var file = Path.Combine(Cluster.StaticPods, "slow.yaml");
        var name = $"slow-{Cluster.Node}";
        var host = Directory.CreateDirectory(Path.Combine(Cluster.Root, "slow")).FullName;
        string Manifest(string word) => ShellPod(
            "slow", $"trap 'touch /host/{word}.told; until [ -e /host/{word}.go ]; do sleep 0.1; done; exit 0' TERM; echo {word}; while :; do sleep 0.1; done",
            "volumeMounts: [{name: h, mountPath: /host}]", $"volumes: [{{name: h, hostPath: {{path: {host}}}}}]")
            .Replace("metadata: {", $"metadata: {{namespace: {K.Namespace}, ", StringComparison.Ordinal)
            .Replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 60", StringComparison.Ordinal);
        async Task ToldAsync(string word) => (await Shell.RunAsync("sh", ["-c", $"until [ -e {host}/{word}.told ]; do sleep 0.1; done"])).Ok();

        await File.WriteAllTextAsync(file, Manifest("first"));
        await K.EventAsync(name, "Started");
        await K.ReadyAsync(name);
        var uid = await K.FieldAsync(name, ".metadata.uid");

        // Several changes while it ends: the last one counts.
        await File.WriteAllTextAsync(file, Manifest("second"));
        await ToldAsync("first");
        await File.WriteAllTextAsync(file, Manifest("third"));
        await File.WriteAllTextAsync(file, Manifest("fourth"));
        Assert.Equal($"{uid} Running", await K.FieldAsync(name, ".metadata.uid} {.status.phase"));
        await File.WriteAllTextAsync(Path.Combine(host, "first.go"), "");
        await ShownAgainAsync(name, uid);
        await K.ReadyAsync(name);
        await PrintsAsync(name, "fourth");

        // Removed, and there again as it was before its pod has ended: the same pod begins anew.
        uid = await K.FieldAsync(name, ".metadata.uid");
        var id = await K.FieldAsync(name, ".status.containerStatuses[0].containerID");
        File.Delete(file);
        await ToldAsync("fourth");
        Assert.Equal($"{uid} Running", await K.FieldAsync(name, ".metadata.uid} {.status.phase"));
        await File.WriteAllTextAsync(file, Manifest("fourth"));
        await File.WriteAllTextAsync(Path.Combine(host, "fourth.go"), "");
        (await K.ShellAsync($"while [ \"$($K get pod {name} -o 'jsonpath={{.status.containerStatuses[0].containerID}}')\" = {id} ]; do sleep 0.2; done")).Ok();
        await K.ReadyAsync(name);
        await PrintsAsync(name, "fourth");

        File.Delete(file);
        await K.OkAsync($"wait pod/{name} --for=delete --timeout=30s");
    }

    // Ready comes from the runtime, the text from the container: one does not wait for the other.
    private async Task PrintsAsync(string name, string word) =>
        (await K.ShellAsync($"until [ \"$($K logs {name})\" = {word} ]; do sleep 0.2; done")).Ok();

    private async Task WriteAsync(string file, string word, string pod = "fromfile")
    {
        var hidden = Path.Combine(Path.GetDirectoryName(file)!, $".{pod}");
        await File.WriteAllTextAsync(hidden, ShellPod(pod, $"echo {word}; sleep 1000").Replace("metadata: {", $"metadata: {{namespace: {K.Namespace}, ", StringComparison.Ordinal));
        File.Move(hidden, file, overwrite: true);
    }

    private async Task ShownAgainAsync(string name, string formerUid)
    {
        using var watch = K.Start($"get pods --watch --field-selector=metadata.name={name} -o", "jsonpath={.metadata.uid}{\"\\n\"}");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            while (await watch.StandardOutput.ReadLineAsync(stop.Token) is { } uid && (uid == formerUid || uid.Length == 0))
            {
            }
        }
        finally
        {
            watch.Kill();
        }
    }
}
