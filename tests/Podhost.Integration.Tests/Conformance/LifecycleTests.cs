using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>The order of starts, hooks and ends in a pod: each container and each hook writes what it does into one file on the machine.</summary>
public sealed class LifecycleTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Init_containers_and_sidecars_start_in_order_and_sidecars_end_in_reverse_after_the_apps()
    {
        var log = Log("order");
        string Sidecar(string name, string more = "") => Container(
            name, $"trap 'sleep 0.3; echo {name} ends >> /trace/log; exit 0' TERM; echo {name} >> /trace/log; touch /tmp/up; sleep 1000 & wait",
            $"restartPolicy: Always, lifecycle: {{preStop: {{exec: {{command: [sh, -c, \"echo {name} hook >> /trace/log; echo hook >> /proc/1/fd/1; sleep 1\"]}}}}}}, {more}");
        await K.ApplyAsync(Pod("order", log, $"""
              restartPolicy: Never
              initContainers:
              {Container("init1", "echo init1 >> /trace/log; sleep 0.3; echo init1 ends >> /trace/log")}
              {Sidecar("side1", "startupProbe: {periodSeconds: 1, exec: {command: [sh, -c, \"test -e /tmp/up\"]}}, ")}
              {Container("init2", "echo init2 >> /trace/log; sleep 0.3; echo init2 ends >> /trace/log")}
              {Sidecar("side2")}
              {Sidecar("side3")}
              containers:
              {Container("app", "echo app >> /trace/log; sleep 0.3; echo app ends >> /trace/log")}
            """));
        await K.WaitAsync("order", ".status.phase", "Succeeded");
        var lines = await File.ReadAllLinesAsync(log);
        Assert.Equal(["init1", "init1 ends", "side1", "init2", "init2 ends"], lines[..5]);
        Assert.Equal(["app", "app ends", "side2", "side3"], lines[5..9].Order());
        Assert.Equal(["side1 hook", "side2 hook", "side3 hook"], lines[9..12].Order());
        Assert.Equal(["side3 ends", "side2 ends", "side1 ends"], lines[12..]);
        Assert.Equal("hook\n", await K.OkAsync("logs order -c side1"));
    }

    [Fact]
    public async Task While_a_hook_before_the_end_runs_readiness_is_probed_and_liveness_is_not()
    {
        var log = Log("probed");
        const string hook = "echo hook >> /trace/log; until sed '1,/^hook/d' /trace/log | grep -q ready; do sleep 0.1; done; echo hook ends >> /trace/log";
        const string hooks = $"lifecycle: {{preStop: {{exec: {{command: [sh, -c, \"{hook}\"]}}}}}}, ";
        const string probes = "readinessProbe: {periodSeconds: 1, exec: {command: [sh, -c, 'echo ready >> /trace/log']}}, " +
            "livenessProbe: {initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1, exec: {command: [sh, -c, 'echo live >> /trace/log; exit 1']}}, ";
        await K.ApplyAsync(Pod("probed", log, $$"""
              restartPolicy: Never
              terminationGracePeriodSeconds: 60
              containers:
              {{Container("app", "trap 'exit 0' TERM; sleep 1000 & wait", hooks + probes)}}
            """));
        await K.WaitAsync("probed", ".status.phase", "Succeeded");
        var lines = await File.ReadAllLinesAsync(log);
        Assert.Single(lines, "live");
        Assert.Contains("ready", lines[Array.IndexOf(lines, "hook")..Array.IndexOf(lines, "hook ends")]);
    }

    [Fact]
    public async Task An_exit_that_asks_for_it_restarts_all_containers_in_their_place()
    {
        var log = Log("again");
        await K.ApplyAsync(Pod("again", log, $$"""
              restartPolicy: Never
              initContainers:
              {{Container("init", "echo init >> /trace/log")}}
              {{Container("side", "echo side >> /trace/log; sleep 1000", "restartPolicy: Always, lifecycle: {preStop: {exec: {command: [sh, -c, 'echo hook >> /trace/log']}}}, ")}}
              containers:
              {{Container("app", "until tail -n 1 /trace/log | grep -q side; do sleep 0.1; done; echo app >> /trace/log; touch /tmp/up; sleep 1000",
                  "readinessProbe: {periodSeconds: 1, exec: {command: [test, -e, /tmp/up]}}, ")}}
              {{Container("source", "if [ -e /trace/done ]; then sleep 1000; fi; until grep -q app /trace/log; do sleep 0.1; done; touch /trace/done; exit 42",
                  "restartPolicy: Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}], ")}}
            """));
        await K.WaitAsync("again", ".status.containerStatuses[1].lastState.terminated.exitCode", "42");
        await K.ReadyAsync("again");
        Assert.Equal(["init", "side", "app", "init", "side", "app"], await File.ReadAllLinesAsync(log));
        Assert.Equal("1 1 1 1", await K.FieldAsync("again", ".status.initContainerStatuses[*].restartCount} {.status.containerStatuses[*].restartCount"));
        var ends = await K.FieldAsync(
            "again", ".status.initContainerStatuses[*].lastState.terminated.reason} {.status.containerStatuses[*].lastState.terminated.reason");
        Assert.Equal(4, ends.Split(' ').Length);
        Assert.Equal("False", await K.FieldAsync("again", ".status.conditions[?(@.type==\"AllContainersRestarting\")].status"));
        Assert.Equal("", await K.OkAsync("get events --field-selector=involvedObject.name=again,reason=SandboxChanged -o name"));
        var id = (await K.FieldAsync("again", ".status.containerStatuses[0].containerID")).Split("://")[1];
        var link = new FileInfo(Path.Combine(Cluster.Root, $"containers/again_lifecycle-tests_app-{id}.log"));
        Assert.EndsWith("/app/1.log", link.LinkTarget, StringComparison.Ordinal);
        var metrics = await K.OkAsync($"get --raw /api/v1/nodes/{await K.FieldAsync("again", ".spec.nodeName")}/proxy/metrics");
        Assert.Contains("kubelet_terminated_containers_total{container_type=\"container\",exit_code=\"42\"", metrics);
    }

    private string Log(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(Cluster.Root, "lifecycle", name)).FullName, "log");

    private static string Container(string name, string script, string more = "") =>
        $"- {{name: {name}, image: \"busybox:stable\", {more}volumeMounts: [{{name: t, mountPath: /trace}}], command: [sh, -c, {System.Text.Json.JsonSerializer.Serialize(script)}]}}";

    private static string Pod(string name, string log, string spec) => $$$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{{name}}}}
        spec:
          volumes: [{name: t, hostPath: {path: {{{Path.GetDirectoryName(log)}}}}}]
        {{{spec}}}
        """;
}
