using System.Runtime.InteropServices;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promise 6, grpc: a server in a container is asked for the health of services, and each answer has its effect.</summary>
public sealed class GrpcProbeTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    // Who asks for which service: the server itself, a container whose liveness another one's service is, one that asks for a service that
    // nobody knows, and one whose startup probe is never answered.
    private const string Containers = """
        - {name: lively, image: "busybox:stable", command: [sleep, "1000"], startupProbe: {grpc: {port: 5001, service: db}, periodSeconds: 1, failureThreshold: 60}, livenessProbe: {grpc: {port: 5001, service: db}, periodSeconds: 1, failureThreshold: 2}}
          - {name: lost, image: "busybox:stable", command: [sleep, "1000"], readinessProbe: {grpc: {port: 5001, service: nobody}, periodSeconds: 1}}
          - {name: mute, image: "busybox:stable", command: [sleep, "1000"], startupProbe: {grpc: {port: 5001, service: slow}, periodSeconds: 1, failureThreshold: 2}}
        """;

    private readonly string _health = Directory.CreateDirectory(Path.Combine(cluster.Instance.Root, "health")).FullName;

    [Fact]
    public async Task A_server_in_a_container_is_asked_for_its_services_and_each_answer_counts()
    {
        foreach (var (service, status) in new[] { ("overall", "SERVING"), ("front", "NOT_SERVING"), ("db", "SERVING"), ("slow", "HANG") })
        {
            Say(service, status);
        }

        await K.ApplyAsync(Pod());
        await K.WaitAsync("healthy", ".status.containerStatuses[?(@.name==\"server\")].started", "true");
        foreach (var message in new[]
        {
            "Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")",
            "Readiness probe failed: error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
            "Startup probe failed: timeout: health rpc did not complete within 1s",
            "Container mute failed startup probe, will be restarted",
        })
        {
            await ToldAsync(message);
        }

        await K.WaitAsync("healthy", ".status.containerStatuses[?(@.name==\"mute\")].restartCount", "1");
        Assert.Equal("lively=true lost=false mute=false server=false ", await ContainersAsync("ready"));

        // A server that says SERVING makes its container ready; what was not known is known now.
        Say("slow", "SERVING");
        Say("nobody", "SERVING");
        Say("front", "SERVING");
        await K.ReadyAsync("healthy");

        // Readiness is taken back, and the container goes on; liveness restarts it.
        Say("front", "NOT_SERVING");
        await K.WaitAsync("healthy", "condition=Ready=false");
        Assert.Equal("ContainersNotReady containers with unready status: [server]",
            await K.FieldAsync("healthy", ".status.conditions[?(@.type==\"Ready\")].reason} {.status.conditions[?(@.type==\"Ready\")].message"));
        Say("front", "SERVING");
        await K.ReadyAsync("healthy");
        Assert.StartsWith("lively=0 lost=0 mute=", await ContainersAsync("restartCount"));
        Say("db", "NOT_SERVING");
        await K.WaitAsync("healthy", ".status.containerStatuses[?(@.name==\"lively\")].restartCount", "1");
        Say("db", "SERVING");
        await ToldAsync("Liveness probe failed: service unhealthy (responded with \"NOT_SERVING\")");
        await ToldAsync("Container lively failed liveness probe, will be restarted");
        await K.ReadyAsync("healthy");
        Assert.Contains(" server=0 ", await ContainersAsync("restartCount"));
        await K.OkAsync("delete pod healthy --timeout=40s");
    }

    private string Pod()
    {
        var program = Executable.Built("Podhost.HealthServer");
        var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        string[] mounts = [runtime, Path.GetDirectoryName(program)!, "/usr", "/lib", "/lib64"];
        var here = mounts.Where(Directory.Exists).Select((path, i) => (Name: $"m{i}", Path: path)).ToArray();
        var volumes = here.Select(m => $"- {{name: {m.Name}, hostPath: {{path: {m.Path}}}}}");
        var places = here.Select(m => $"- {{name: {m.Name}, mountPath: {m.Path}, readOnly: true}}");
        return $$$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: healthy}
            spec:
              terminationGracePeriodSeconds: 1
              volumes:
              - {name: health, hostPath: {path: {{{_health}}}}}
              {{{string.Join("\n  ", volumes)}}}
              containers:
              {{{Containers}}}
              - name: server
                image: busybox:stable
                command: ["{{{runtime}}}/dotnet", "{{{program}}}", "5001", /health]
                env: [{name: DOTNET_SYSTEM_GLOBALIZATION_INVARIANT, value: "1"}, {name: DOTNET_EnableDiagnostics, value: "0"}]
                startupProbe: {grpc: {port: 5001}, periodSeconds: 1, failureThreshold: 60}
                readinessProbe: {grpc: {port: 5001, service: front}, periodSeconds: 1, failureThreshold: 1}
                volumeMounts:
                - {name: health, mountPath: /health}
                {{{string.Join("\n    ", places)}}}
            """;
    }

    // Whole at once: the server may read at any time.
    private void Say(string service, string status)
    {
        var half = Path.Combine(Cluster.Root, "half");
        File.WriteAllText(half, status);
        File.Move(half, Path.Combine(_health, service), overwrite: true);
    }

    private Task<string> ContainersAsync(string field) => K.FieldAsync("healthy", $"range .status.containerStatuses[*]}}{{.name}}={{.{field}}} {{end");

    private async Task ToldAsync(string message)
    {
        using var watch = K.Start("get events --watch --field-selector=involvedObject.name=healthy -o", "jsonpath={.message}{\"\\n\"}");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        try
        {
            string? line;
            do
            {
                line = await watch.StandardOutput.ReadLineAsync(stop.Token);
                Assert.NotNull(line);
            }
            while (line != message);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"nobody said: {message}\n{await K.OkAsync("get events --field-selector=involvedObject.name=healthy")}");
        }
        finally
        {
            watch.Kill();
        }
    }
}
