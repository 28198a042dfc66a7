using System.IO.Compression;
using System.Text;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>The log of a running container is rotated at its size, on an instance with a small one.</summary>
public sealed class LogRotationTests(ClusterFixture cluster)
{
    // From the moment that it may, numbered lines, a long one among them, which the runtime writes in parts, until the file is there; then an end.
    private const string Script = """
        echo begin
        until [ -e /tmp/go ]; do sleep 0.1; done
        long=$(head -c 20000 /dev/zero | tr "\0" x)
        i=0
        until [ -e /tmp/stop ]; do
          for j in 0 1 2 3 4 5 6 7 8 9; do echo $i$j; done
          echo $i $long
          i=$((i+1))
          sleep 0.05
        done
        echo end $i
        sleep 1000
        """;

    [Fact]
    public async Task No_line_is_lost_when_the_log_of_a_running_container_is_rotated()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var instance = await Instance.StartCommandAsync(i => ["up", "--config", Configuration(i)]);
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        await k.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: chatty}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:stable
                command: [sh, -c, {{System.Text.Json.JsonSerializer.Serialize(Script)}}]
            """);
        await k.ReadyAsync("chatty");

        // Whoever begins to follow after a rotation begins with the file that is written then.
        using var follower = k.Start("logs -f chatty");
        Assert.Equal("begin", await follower.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        var followed = FollowAsync(follower);
        await k.ShAsync("chatty", "touch /tmp/go");
        var logs = Path.Combine(instance.Root, "logs", $"default_chatty_{await k.FieldAsync("chatty", ".metadata.uid")}", "main");
        (await Shell.RunAsync("sh", ["-c", $"until [ $(ls {logs} | grep -c '^0.log.*[0-9a-z]$') -ge 3 ] && ls {logs}/*.gz; do sleep 0.1; done"])).Ok();
        await k.ShAsync("chatty", "touch /tmp/stop");
        var seen = await followed.WaitAsync(TimeSpan.FromSeconds(60));

        // What is written no more is rotated once more at most. Files that are being rotated are not for reading: some are there twice, some not at all.
        (await Shell.RunAsync("sh", ["-c", $"until [ -e {logs}/0.log ] && [ $(stat -c %s {logs}/0.log) -lt 10240 ]; do sleep 0.1; done"])).Ok();
        var lines = Lines(logs);
        var rounds = int.Parse(lines[^1].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        var expected = Enumerable.Range(0, rounds).SelectMany(i => Enumerable.Range(0, 10).Select(j => $"{i}{j}").Append($"{i} {new string('x', 20000)}")).Append($"end {rounds}");
        Assert.Equal(expected.Prepend("begin"), lines);
        Assert.Equal(expected, seen);
        follower.Kill();
    }

    // kubectl logs -f does not notice that the files change.
    private static async Task<List<string>> FollowAsync(System.Diagnostics.Process follower)
    {
        var lines = new List<string>();
        while (await follower.StandardOutput.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("end ", StringComparison.Ordinal))
            {
                break;
            }
        }

        return lines;
    }

    private static string Configuration(Instance instance)
    {
        var file = Path.Combine(instance.Root, "rotation.yaml");
        File.WriteAllText(file, """
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            evictionHard: {memory.available: 20Mi}
            imageGCHighThresholdPercent: 100
            containerLogMaxSize: 10Ki
            containerLogMaxFiles: 300
            containerLogMonitorInterval: 3s
            """);
        return file;
    }

    // The names of the rotated files sort by their times; records of the CRI's log format: time, stream, P (a part) or F, text.
    private static List<string> Lines(string directory)
    {
        var current = Path.Combine(directory, "0.log");
        var lines = new List<string>();
        var line = new StringBuilder();
        foreach (var record in Directory.GetFiles(directory).Where(f => f != current).Order(StringComparer.Ordinal).Append(current).SelectMany(Records))
        {
            var fields = record.Split(' ', 4);
            line.Append(fields[3]);
            if (fields[2] == "F")
            {
                lines.Add(line.ToString());
                line.Clear();
            }
        }

        return lines;
    }

    private static List<string> Records(string file)
    {
        using var raw = File.OpenRead(file);
        using Stream stream = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : raw;
        using var reader = new StreamReader(stream);
        var records = new List<string>();
        while (reader.ReadLine() is { } record)
        {
            records.Add(record);
        }

        return records;
    }
}
