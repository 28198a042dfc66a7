using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>The smaller fields of probes.</summary>
public sealed class ProbeFieldTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_container_is_ready_after_as_many_successes_in_a_row_as_asked_for()
    {
        // Two successes, then failures until told: after two of three it is not ready; one success would have been enough for more than the failures seen.
        await K.ApplyAsync(ShellPod("thrice", "sleep 1000", """
            readinessProbe:
                  exec: {command: [sh, -c, "[ -e /tmp/go ] || { echo x >> /tmp/n; [ $(wc -l < /tmp/n) -le 2 ]; }"]}
                  periodSeconds: 1
                  successThreshold: 3
                  failureThreshold: 100
            """));
        await K.EventAsync("thrice", "Unhealthy");
        Assert.Equal("false", await K.FieldAsync("thrice", ".status.containerStatuses[0].ready"));
        await K.ShAsync("thrice", "touch /tmp/go");
        await K.ReadyAsync("thrice");
    }

    [Fact]
    public async Task A_probe_has_a_grace_of_its_own()
    {
        // The pod's own would outlast the test.
        await K.ApplyAsync(ShellPod("deaf", "trap '' TERM; while :; do sleep 1; done", """
            livenessProbe: {exec: {command: ["false"]}, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1}
            """).Replace("terminationGracePeriodSeconds: 1\n", "terminationGracePeriodSeconds: 600\n", StringComparison.Ordinal));
        Assert.Equal("600", await K.FieldAsync("deaf", ".spec.terminationGracePeriodSeconds"));
        await K.WaitAsync("deaf", ".status.containerStatuses[0].lastState.terminated.exitCode", "137");
        await K.OkAsync("delete pod deaf --grace-period=1 --wait=false");
    }

    [Fact]
    public async Task A_probe_goes_to_the_host_that_it_names()
    {
        // Nothing listens in the pod; the API server does on the node.
        await K.ApplyAsync(ShellPod("elsewhere", "sleep 1000", $"""
            startupProbe: {Probe($"tcpSocket: {{host: 127.0.0.1, port: {Cluster.SecurePort}}}")}
                readinessProbe: {Probe($"httpGet: {{host: 127.0.0.1, port: {Cluster.SecurePort}, scheme: HTTPS, path: /livez}}")}
            """));
        await K.ReadyAsync("elsewhere");
        Assert.Equal("true 0", await K.FieldAsync("elsewhere", ".status.containerStatuses[0].started} {.status.containerStatuses[0].restartCount"));
    }

    private static string Probe(string handler) => $"{{{handler}, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 60}}";
}
