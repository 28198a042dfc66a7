using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>What containers run, and what they leave behind.</summary>
public sealed class ContainerTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Command_and_args_replace_those_of_the_image_and_may_name_variables()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: commands, labels: {app: commands}}
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 0
              initContainers:
              - {name: args, image: "busybox:stable", args: [echo, "args alone"]}
              - {name: command, image: "busybox:stable", command: [echo, "command alone"]}
              - {name: both, image: "busybox:stable", command: [echo, "$(WHO)", "$$(WHO)", "$(NOBODY)"], args: [says, "$(WORD)"],
                 env: [{name: WHO, value: one}, {name: WORD, value: "$(WHO)-word"}]}
              containers:
              - {name: image, image: "busybox:stable", ports: [{containerPort: 8080}], readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}
            """);

        // The image's own command is a server on 8080.
        await K.ReadyAsync("commands");
        Assert.Equal("args alone\n", await K.OkAsync("logs commands -c args"));
        Assert.Equal("command alone\n", await K.OkAsync("logs commands -c command"));
        Assert.Equal("one $(WHO) $(NOBODY) says one-word\n", await K.OkAsync("logs commands -c both"));
        await K.OkAsync("delete pod commands --timeout=20s");
    }

    [Fact]
    public async Task The_last_words_of_a_container_come_from_its_file_or_its_log()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: words}
            spec:
              restartPolicy: Never
              containers:
              - {name: path, image: "busybox:stable", command: [sh, -c, "echo -n DONE > /dev/termination-custom-log"], terminationMessagePath: /dev/termination-custom-log,
                 securityContext: {runAsUser: 10000}}
              - {name: file, image: "busybox:stable", command: [sh, -c, "echo -n OK > /dev/termination-log; echo log"], terminationMessagePolicy: FallbackToLogsOnError}
              - {name: empty, image: "busybox:stable", command: [sh, -c, "echo DONE"], terminationMessagePolicy: FallbackToLogsOnError}
              - {name: log, image: "busybox:stable", command: [sh, -c, "echo -n DONE; exit 1"], terminationMessagePolicy: FallbackToLogsOnError}
            """);
        await K.WaitAsync("words", ".status.phase", "Failed");
        Assert.Equal(
            "path=DONE file=OK empty= log=DONE ",
            await K.FieldAsync("words", "range .status.containerStatuses[*]}{.name}={.state.terminated.message} {end"));
    }

    [Fact]
    public async Task Users_privileges_and_the_root_of_a_container_are_what_its_security_context_says()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: rights}
            spec:
              restartPolicy: Never
              securityContext: {sysctls: [{name: kernel/shm_rmid_forced, value: "1"}]}
              initContainers:
              - {name: root, image: "busybox:stable", command: [sh, -c, "id -u; sysctl kernel.shm_rmid_forced"], securityContext: {runAsUser: 0}}
              - {name: nobody, image: "busybox:stable", command: [id, -u], securityContext: {runAsUser: 65534, runAsNonRoot: true}}
              - {name: escalates, image: "busybox:stable", command: [grep, NoNewPrivs, /proc/self/status], securityContext: {runAsUser: 1000}}
              - {name: escalates-asked, image: "busybox:stable", command: [grep, NoNewPrivs, /proc/self/status], securityContext: {runAsUser: 1000, allowPrivilegeEscalation: true}}
              - {name: escalates-not, image: "busybox:stable", command: [grep, NoNewPrivs, /proc/self/status], securityContext: {runAsUser: 1000, allowPrivilegeEscalation: false}}
              - {name: unprivileged, image: "busybox:stable", command: [sh, -c, "ip link set lo down || echo refused"], securityContext: {privileged: false}}
              - {name: privileged, image: "busybox:stable", command: [sh, -c, "ip link set lo down && ip link set lo up && echo done"], securityContext: {privileged: true}}
              containers:
              - {name: read-only, image: "busybox:stable", command: [sh, -c, "touch /new || echo refused"], securityContext: {readOnlyRootFilesystem: true}}
              - {name: writable, image: "busybox:stable", command: [sh, -c, "touch /new && echo done"], securityContext: {readOnlyRootFilesystem: false}}
            """);
        await K.WaitAsync("rights", ".status.phase", "Succeeded");
        Assert.Equal("0\nkernel.shm_rmid_forced = 1\n", await K.OkAsync("logs rights -c root"));
        Assert.Equal("65534\n", await K.OkAsync("logs rights -c nobody"));
        Assert.Equal("NoNewPrivs:\t0\n", await K.OkAsync("logs rights -c escalates"));
        Assert.Equal("NoNewPrivs:\t0\n", await K.OkAsync("logs rights -c escalates-asked"));
        Assert.Equal("NoNewPrivs:\t1\n", await K.OkAsync("logs rights -c escalates-not"));
        Assert.Contains("refused", await K.OkAsync("logs rights -c unprivileged"));
        Assert.Equal("done\n", await K.OkAsync("logs rights -c privileged"));
        Assert.Contains("refused", await K.OkAsync("logs rights -c read-only"));
        Assert.Equal("done\n", await K.OkAsync("logs rights -c writable"));
    }

    [Theory]
    [InlineData("setHostnameAsFQDN: true, hostnameOverride: x", "may not be specified when setHostnameAsFQDN is true")]
    [InlineData("hostNetwork: true, hostnameOverride: x", "may not be specified when hostNetwork is true")]
    [InlineData("hostnameOverride: Not-RFC1123", "a lowercase RFC 1123 subdomain must consist of")]
    [InlineData("securityContext: {sysctls: [{name: foo-, value: bar}]}", "spec.securityContext.sysctls[0].name: Invalid value: \"foo-\"")]
    public async Task A_pod_that_says_two_things_is_refused(string field, string message)
    {
        var applied = await K.RunAsync(["apply", "-f", "-"], $"""
            apiVersion: v1
            kind: Pod
            metadata: {"{"}name: refused{"}"}
            spec: {"{"}{field}, containers: [{"{"}name: c, image: "busybox:stable"{"}"}]{"}"}
            """);
        Assert.Contains(message, applied.Fails());
    }

    [Fact]
    public async Task A_generation_counts_the_changes_of_a_pods_spec_and_the_kubelet_tells_which_it_saw()
    {
        await K.ApplyAsync(ShellPod("counted", "sleep 1000"));
        await K.ReadyAsync("counted");
        Assert.Equal("1 1", await K.FieldAsync("counted", ".metadata.generation} {.status.observedGeneration"));
        await K.OkAsync("patch pod counted --type=merge -p", """{"spec":{"activeDeadlineSeconds":5000}}""");
        await K.OkAsync("annotate pod counted a=b");
        await K.WaitAsync("counted", ".status.observedGeneration", "2");
        Assert.Equal("2", await K.FieldAsync("counted", ".metadata.generation"));
        await K.WaitAsync("counted", ".status.conditions[?(@.type==\"PodScheduled\")].observedGeneration", "2");
        await K.OkAsync("delete pod counted --timeout=20s");
    }
}
