using Podhost.Integration.Tests.Conformance;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promises 5 and 6: what each probe does, by each handler.</summary>
public sealed class ProbeTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Theory]
    [InlineData("tcp", "tcpSocket: {port: web}")]
    [InlineData("http", "httpGet: {path: /index.html, port: 8080}")]
    [InlineData("exec", "exec: {command: [cat, /tmp/ready]}")]
    public async Task A_container_is_ready_when_its_readiness_probe_succeeds(string name, string handler)
    {
        await K.ApplyAsync(ShellPod($"ready-{name}", "until [ -e /tmp/go ]; do sleep 0.1; done; touch /tmp/ready; exec httpd -f -p 8080 -h /www",
            $"readinessProbe: {{{handler}, periodSeconds: 1}}\n    ports: [{{name: web, containerPort: 8080}}]"));
        await K.EventAsync($"ready-{name}", "Unhealthy");
        Assert.Equal("false", await K.FieldAsync($"ready-{name}", ".status.containerStatuses[0].ready"));
        await K.ShAsync($"ready-{name}", "touch /tmp/go");
        await K.ReadyAsync($"ready-{name}");
    }

    [Fact]
    public async Task A_failed_readiness_takes_the_pod_out_of_its_service_and_the_container_goes_on()
    {
        await K.ApplyAsync(ShellPod("served", "touch /tmp/ready; exec httpd -f -p 8080 -h /www",
            "readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 1, failureThreshold: 1}"));
        await K.OkAsync("expose pod served --port=80 --target-port=8080");
        await K.ReadyAsync("served");
        var ip = await K.FieldAsync("served", ".status.podIP");
        await K.OkAsync("wait endpoints/served --timeout=20s", $"--for=jsonpath={{.subsets[0].addresses[0].ip}}={ip}");
        await K.ShAsync("served", "rm /tmp/ready");
        await K.WaitAsync("served", "condition=Ready=false");
        await K.OkAsync("wait endpoints/served --timeout=20s", $"--for=jsonpath={{.subsets[0].notReadyAddresses[0].ip}}={ip}");
        Assert.Equal("0", await K.FieldAsync("served", ".status.containerStatuses[0].restartCount"));
    }

    [Fact]
    public async Task A_failed_liveness_restarts_the_container_and_keeps_the_address()
    {
        await K.ApplyAsync(ShellPod("alive", "touch /tmp/alive; sleep 1000 & wait",
            "livenessProbe: {exec: {command: [cat, /tmp/alive]}, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1}"));
        await K.ReadyAsync("alive");
        var ip = await K.FieldAsync("alive", ".status.podIP");
        await K.ShAsync("alive", "rm /tmp/alive");
        await K.WaitAsync("alive", ".status.containerStatuses[0].restartCount", "1");
        await K.EventAsync("alive", "Killing");
        Assert.Equal(ip, await K.FieldAsync("alive", ".status.podIP"));
        Assert.Contains("Liveness probe failed", await K.OkAsync("get events --field-selector=involvedObject.name=alive"));
    }

    [Fact]
    public async Task The_other_probes_wait_for_the_startup_probe()
    {
        await K.ApplyAsync(ShellPod("starts", "until [ -e /tmp/go ]; do sleep 0.1; done; sleep 1000",
            "startupProbe: {exec: {command: [cat, /tmp/go]}, periodSeconds: 1, failureThreshold: 60}\n    " +
            "livenessProbe: {exec: {command: [cat, /tmp/go]}, periodSeconds: 1, failureThreshold: 1}"));
        await K.EventAsync("starts", "Unhealthy");
        Assert.Equal("false 0", await K.FieldAsync("starts", ".status.containerStatuses[0].started} {.status.containerStatuses[0].restartCount"));
        await K.ShAsync("starts", "touch /tmp/go");
        await K.ReadyAsync("starts");
        Assert.Equal("0", await K.FieldAsync("starts", ".status.containerStatuses[0].restartCount"));
    }

    [Fact]
    public async Task A_command_that_hangs_is_killed_at_its_timeout_and_has_failed()
    {
        await K.ApplyAsync(ShellPod("hangs", "sleep 1000",
            "readinessProbe: {exec: {command: [sh, -c, \"[ ! -e /tmp/hang ] || sleep 777\"]}, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1}"));
        await K.ReadyAsync("hangs");
        await K.ShAsync("hangs", "touch /tmp/hang");
        await K.WaitAsync("hangs", "condition=Ready=false");
        await K.EventAsync("hangs", "Unhealthy");
        Assert.Matches("Readiness probe .*timed out", await K.OkAsync("get events --field-selector=involvedObject.name=hangs,reason=Unhealthy -o", "jsonpath={.items[*].message}"));

        // It is asked again, and nothing of the commands that hung goes on.
        await K.ShAsync("hangs", "rm /tmp/hang");
        await K.ReadyAsync("hangs");
        await K.ShAsync("hangs", "while ps -o args | grep -q '[s]leep 777'; do sleep 0.1; done");
        Assert.Equal("0", await K.FieldAsync("hangs", ".status.containerStatuses[0].restartCount"));
    }

    [Fact]
    public async Task An_HTTPS_probe_asks_the_host_that_it_names_and_fails_with_the_status()
    {
        await using var server = new HookServer();
        string Probe(string path) => $"readinessProbe: {{httpGet: {{host: 127.0.0.1, port: {server.HttpsPort}, path: {path}, scheme: HTTPS}}, periodSeconds: 1}}";
        await K.ApplyAsync(ShellPod("tls-refused", "sleep 1000", Probe("/status/503")));
        await K.ApplyAsync(ShellPod("tls", "sleep 1000", Probe("/tls")));
        await K.ReadyAsync("tls");
        Assert.Contains("https /tls", server.Seen);
        await K.EventAsync("tls-refused", "Unhealthy");
        Assert.Equal("false", await K.FieldAsync("tls-refused", ".status.containerStatuses[0].ready"));
        Assert.Contains("Readiness probe failed: HTTP probe failed with statuscode: 503",
            await K.OkAsync("get events --field-selector=involvedObject.name=tls-refused -o", "jsonpath={.items[*].message}"));
        await K.OkAsync("delete pod tls tls-refused --timeout=40s");
    }
}
