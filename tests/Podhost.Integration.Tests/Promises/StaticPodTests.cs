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
        Assert.Equal("first\n", await K.OkAsync($"logs {name}"));

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
        Assert.Equal("second\n", await K.OkAsync($"logs {name}"));

        File.Delete(file);
        await K.OkAsync($"wait pod/{name} --for=delete --timeout=30s");
    }

    private async Task WriteAsync(string file, string word)
    {
        var hidden = Path.Combine(Path.GetDirectoryName(file)!, ".new");
        await File.WriteAllTextAsync(hidden, ShellPod("fromfile", $"echo {word}; sleep 1000").Replace("metadata: {", $"metadata: {{namespace: {K.Namespace}, ", StringComparison.Ordinal));
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
