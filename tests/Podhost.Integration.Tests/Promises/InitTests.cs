using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promise 7: init containers, and sidecars among them.</summary>
public sealed class InitTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Init_containers_run_in_order_before_the_app()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: order}
            spec:
              restartPolicy: Never
              initContainers:
              - {name: init-myservice, image: "busybox:stable", command: [sh, -c, "sleep 1; echo helloworld01 >> /work/log; echo helloworld01"], volumeMounts: [{name: w, mountPath: /work}]}
              - {name: init-mydb, image: "busybox:stable", command: [sh, -c, "echo helloworld02 >> /work/log; echo helloworld02"], volumeMounts: [{name: w, mountPath: /work}]}
              containers:
              - {name: app, image: "busybox:stable", command: [sh, -c, "cat /work/log; echo The app is running!"], volumeMounts: [{name: w, mountPath: /work}]}
              volumes: [{name: w, emptyDir: {}}]
            """);
        await K.WaitAsync("order", ".status.phase", "Succeeded");
        Assert.Equal("helloworld01\nhelloworld02\nThe app is running!\n", await K.OkAsync("logs order"));
        Assert.Equal("helloworld02\n", await K.OkAsync("logs order -c init-mydb"));
    }

    [Fact]
    public async Task A_failed_init_container_fails_a_pod_that_never_restarts()
    {
        await K.ApplyAsync(ShellPod("init-fails", "echo never", podMore: Init("exit 4", "restartPolicy: Never")));
        await K.WaitAsync("init-fails", ".status.phase", "Failed");
        Assert.Matches(@"init-fails\s+0/1\s+Init:Error\s", await K.OkAsync("get pod init-fails"));
        Assert.Equal("4", await K.FieldAsync("init-fails", ".status.initContainerStatuses[0].state.terminated.exitCode"));
        Assert.Equal("PodInitializing", await K.FieldAsync("init-fails", ".status.containerStatuses[0].state.waiting.reason"));
    }

    [Fact]
    public async Task A_failed_init_container_is_tried_again()
    {
        await K.ApplyAsync(ShellPod("init-again", "sleep 1000", podMore:
            Init("[ -e /work/seen ] || { touch /work/seen; exit 1; }", "volumes: [{name: w, emptyDir: {}}]", ", volumeMounts: [{name: w, mountPath: /work}]")));
        await K.ReadyAsync("init-again");
        Assert.Equal("1", await K.FieldAsync("init-again", ".status.initContainerStatuses[0].restartCount"));
    }

    [Fact]
    public async Task A_sidecar_runs_beside_the_app_and_does_not_keep_the_pod_alive()
    {
        await K.ApplyAsync(ShellPod("sidecar", "until wget -qO- http://localhost:8080/ > /tmp/x; do sleep 0.2; done; cat /tmp/x", podMore: """
            restartPolicy: Never
              initContainers:
              - {name: proxy, image: "busybox:stable", restartPolicy: Always, command: [sh, -c, "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait"]}
            """));
        await K.WaitAsync("sidecar", ".status.phase", "Succeeded");
        Assert.Contains("out of a pod", await K.OkAsync("logs sidecar -c main"));
    }

    private static string Init(string script, string podMore, string containerMore = "") =>
        $$"""
        {{podMore}}
          initContainers:
          - {name: init, image: "busybox:stable", command: [sh, -c, {{System.Text.Json.JsonSerializer.Serialize(script)}}]{{containerMore}}}
        """;
}
