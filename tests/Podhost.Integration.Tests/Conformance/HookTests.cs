using System.Diagnostics;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>Lifecycle hooks of app containers and of restartable init containers, by each handler.</summary>
public sealed class HookTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Hooks_of_containers_and_sidecars_run_by_exec_http_and_https()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Cluster.Root, "hooks")).FullName;
        await using var server = new HookServer();
        string Http(string path) => $"{{httpGet: {{host: 127.0.0.1, port: {server.HttpPort}, path: \"{path}\"}}}}";
        string Https(string path) => $"{{httpGet: {{host: 127.0.0.1, port: {server.HttpsPort}, path: \"{path}\", scheme: HTTPS}}}}";
        string Exec(string word) => $"{{exec: {{command: [sh, -c, \"echo {word} >> /hooks/log\"]}}}}";
        string Container(string name, string hook, Func<string, string> handler, string more = "") =>
            $"- {{name: {name}, image: \"busybox:stable\", command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000 & wait\"], {more}volumeMounts: [{{name: h, mountPath: /hooks}}], " +
            $"lifecycle: {{postStart: {handler($"/echo?msg={hook}-start")}, preStop: {handler($"/echo?msg={hook}-stop")}}}}}";

        const string sidecar = "restartPolicy: Always, ";
        await K.ApplyAsync($"""
            apiVersion: v1
            kind: Pod
            metadata: {"{"}name: hooked{"}"}
            spec:
              terminationGracePeriodSeconds: 20
              volumes: [{"{"}name: h, hostPath: {"{"}path: {directory}{"}"}{"}"}]
              initContainers:
              {Container("side-exec", "side", h => Exec(h[10..]), sidecar)}
              {Container("side-http", "side", Http, sidecar)}
              {Container("side-https", "side", Https, sidecar)}
              containers:
              {Container("main-exec", "main", h => Exec(h[10..]))}
              {Container("main-http", "main", Http)}
              {Container("main-https", "main", Https)}
            """);
        await K.ReadyAsync("hooked");
        Assert.Equal(["side-start", "main-start"], await File.ReadAllLinesAsync(Path.Combine(directory, "log")));
        Assert.Equal(["http /echo?msg=main-start", "http /echo?msg=side-start", "https /echo?msg=main-start", "https /echo?msg=side-start"], server.Seen.Order());
        await K.OkAsync("delete pod hooked --timeout=40s");
        Assert.Equal(["main-start", "main-stop", "side-start", "side-stop"], (await File.ReadAllLinesAsync(Path.Combine(directory, "log"))).Order());
        Assert.Equal(
            ["http /echo?msg=main-stop", "http /echo?msg=side-stop", "https /echo?msg=main-stop", "https /echo?msg=side-stop"],
            server.Seen.Where(s => s.EndsWith("-stop", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task Hooks_that_sleep_delay_readiness_and_the_end()
    {
        var watch = Stopwatch.StartNew();
        await K.ApplyAsync(ShellPod("sleeps", "trap 'exit 0' TERM; sleep 1000 & wait", "lifecycle: {postStart: {sleep: {seconds: 2}}, preStop: {sleep: {seconds: 2}}}")
            .Replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 600"));
        await K.ReadyAsync("sleeps");
        Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(2), $"{watch.Elapsed}");

        watch.Restart();
        await K.OkAsync("delete pod sleeps --timeout=40s");
        Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(2), $"{watch.Elapsed}");
    }
}
