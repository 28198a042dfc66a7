using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Fields of the spec and of the status that no other class is about.</summary>
public sealed class SpecFieldTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_service_account_has_its_older_name_too_and_its_token_can_be_left_out()
    {
        const string Script = "ls /var/run/secrets/kubernetes.io/serviceaccount 2>/dev/null || echo none";
        await K.OkAsync("create serviceaccount robot");
        await K.ApplyAsync(ShellPod("robot", Script, podMore: "restartPolicy: Never\n  serviceAccount: robot") + "\n---\n"
            + ShellPod("bare", Script, podMore: "restartPolicy: Never\n  serviceAccount: robot\n  automountServiceAccountToken: false"));
        await K.WaitAsync("robot", ".status.phase", "Succeeded");
        await K.WaitAsync("bare", ".status.phase", "Succeeded");
        Assert.Equal("robot robot", await K.FieldAsync("robot", ".spec.serviceAccount} {.spec.serviceAccountName"));
        Assert.Equal("ca.crt\nnamespace\ntoken\n", await K.OkAsync("logs robot"));
        Assert.Equal("none\n", await K.OkAsync("logs bare"));
    }

    [Fact]
    public async Task A_pod_of_another_scheduler_waits_for_that_ones_binding()
    {
        await K.ApplyAsync(ShellPod("theirs", "echo bound", podMore: "restartPolicy: Never\n  schedulerName: theirs"));
        await K.ApplyAsync(ShellPod("ours", "echo bound", podMore: "restartPolicy: Never"));
        await K.WaitAsync("ours", ".status.phase", "Succeeded");
        Assert.Equal("|Pending|", await K.FieldAsync("theirs", ".spec.nodeName}|{.status.phase}|{.status.conditions"));
        (await K.RunAsync(["create", "--raw", $"/api/v1/namespaces/{K.Namespace}/pods/theirs/binding", "-f", "-"], $$$"""
            {"apiVersion":"v1","kind":"Binding","metadata":{"name":"theirs"},"target":{"apiVersion":"v1","kind":"Node","name":"{{{Cluster.Node}}}"}}
            """)).Ok();
        await K.WaitAsync("theirs", ".status.phase", "Succeeded");
        Assert.Equal("bound\n", await K.OkAsync("logs theirs"));
    }

    [Fact]
    public async Task A_status_tells_of_the_containers_of_each_kind_and_of_the_addresses()
    {
        await K.ApplyAsync(ShellPod("seen", "sleep 1234", podMore: """
            initContainers: [{name: first, image: "busybox:stable", command: ["true"]}]
            """));
        await K.ReadyAsync("seen");
        await K.OkAsync("debug seen --image=busybox:stable --target=main -c looker --profile=general -- ps -o pid,args");
        await K.WaitAsync("seen", ".status.ephemeralContainerStatuses[0].state.terminated.reason", "Completed");

        // The target's processes are the debugger's, too.
        Assert.Equal("main", await K.FieldAsync("seen", ".spec.ephemeralContainers[0].targetContainerName"));
        Assert.Matches(@"\n\s+1 sleep 1234\n", await K.OkAsync("logs seen -c looker"));
        var pod = await K.JsonAsync("get pod seen");
        var status = pod["status"]!;
        Assert.Equal(["main", "first", "looker"], new[] { "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses" }.Select(f => (string?)status[f]!.AsArray().Single()!["name"]));
        Assert.Equal("Completed", (string?)status["initContainerStatuses"]![0]!["state"]!["terminated"]!["reason"]);
        Assert.NotNull(status["containerStatuses"]![0]!["state"]!["running"]!["startedAt"]);
        Assert.Equal((string?)status["podIP"], Ip(status["podIPs"]));
        Assert.Equal((string?)status["hostIP"], Ip(status["hostIPs"]));
        Assert.Equal((string?)status["hostIP"], await K.OkAsync($"get node {Cluster.Node} -o", "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}"));
        Assert.True((DateTimeOffset)status["startTime"]! >= (DateTimeOffset)pod["metadata"]!["creationTimestamp"]!);

        // Each change of the spec is one generation, and the status says which one it is about.
        var generation = (long)pod["metadata"]!["generation"]!;
        await K.OkAsync("patch pod seen --type=merge -p", """{"spec":{"activeDeadlineSeconds":5000}}""");
        Assert.Equal($"{generation + 1}", await K.FieldAsync("seen", ".metadata.generation"));
        await K.WaitAsync("seen", ".status.observedGeneration", $"{generation + 1}");
    }

    [Fact]
    public async Task Environments_may_lack_what_is_optional()
    {
        await K.OkAsync("create secret generic given --from-literal=word=here");
        await K.ApplyAsync(ShellPod("optional", "env | grep '^[FP]_' | sort", """
            envFrom: [{prefix: P_, secretRef: {name: given, optional: true}}, {prefix: P_, secretRef: {name: nothing, optional: true}}]
                env:
                - {name: F_GIVEN, valueFrom: {fileKeyRef: {volumeName: v, path: e.env, key: GIVEN}}}
                - {name: F_MISSING, valueFrom: {fileKeyRef: {volumeName: v, path: e.env, key: MISSING, optional: true}}}
            """, """
            restartPolicy: Never
              initContainers: [{name: writes, image: "busybox:stable", command: [sh, -c, "echo \"GIVEN='from a file'\" > /v/e.env"], volumeMounts: [{name: v, mountPath: /v}]}]
              volumes: [{name: v, emptyDir: {}}]
            """));
        await K.WaitAsync("optional", ".status.phase", "Succeeded");
        Assert.Equal("F_GIVEN=from a file\nP_word=here\n", await K.OkAsync("logs optional -c main"));
    }

    private static string? Ip(JsonNode? ips) => (string?)ips!.AsArray().Single()!["ip"];
}
