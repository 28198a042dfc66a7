using System.IO.Compression;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Nodes;

/// <summary>Logs of a container that writes at full speed are rotated, and no line is lost.</summary>
public sealed class LogRotationTests(ClusterFixture cluster)
{
    private const string Small = """
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        containerLogMaxSize: 64Ki
        containerLogMaxFiles: 100
        containerLogMonitorInterval: 3s
        """;

    // Ends when it was rotated three times: at least one file is compressed then. Its directory is the host's.
    private const string Script = "i=0; while [ $(ls /logs/*/0.log.* 2>/dev/null | wc -l) -lt 3 ]; do "
        + "j=0; while [ $j -lt 500 ]; do i=$((i+1)); j=$((j+1)); echo line $i; done; done; echo $i > /dev/termination-log";

    [Fact]
    public async Task Every_line_of_a_busy_container_is_in_its_current_or_a_rotated_log_and_seen_by_a_follower()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, Small, TestContext.Current.CancellationToken);
        await using var instance = await Instance.StartAsync("--config", config);
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        await k.ApplyAsync($$$$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: busy}
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:stable
                command: [sh, -c, {{{{System.Text.Json.JsonSerializer.Serialize(Script)}}}}]
                volumeMounts: [{name: logs, mountPath: /logs, subPathExpr: $(NAMESPACE)_$(NAME)_$(UID), readOnly: true}]
                env:
                - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
                - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                - {name: UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
              volumes: [{name: logs, hostPath: {path: {{{{Path.Combine(instance.Root, "logs")}}}}}}]
            """);
        await k.WaitAsync("busy", ".status.containerStatuses[0].started", "true");
        var followed = await k.RunAsync(["logs", "-f", "busy"], null, TimeSpan.FromSeconds(90));
        await k.WaitAsync("busy", ".status.phase", "Succeeded");
        var last = int.Parse(await k.FieldAsync("busy", ".status.containerStatuses[0].state.terminated.message"), System.Globalization.CultureInfo.InvariantCulture);

        var files = Directory.GetFiles(Path.Combine(instance.Root, "logs"), "0.log*", SearchOption.AllDirectories);
        Assert.Contains(files, f => f.EndsWith(".gz", StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(1, last), files.SelectMany(Lines).Select(Number).Order());

        // The follower began when it began, and has every line from there, over at least one rotation.
        var seen = followed.Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Number).ToList();
        Assert.Equal(Enumerable.Range(seen[0], last - seen[0] + 1), seen);
        Assert.True(seen.Count > Lines(files.Single(f => f.EndsWith("0.log", StringComparison.Ordinal))).Count());
        File.Delete(config);
    }

    private static int Number(string line) => int.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Lines(string file)
    {
        using var raw = File.OpenRead(file);
        using var zip = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : null;
        using var reader = new StreamReader((Stream?)zip ?? raw);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
