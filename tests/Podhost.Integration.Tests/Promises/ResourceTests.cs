using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promises 10 and 11: resources in the cgroup, and the environment.</summary>
public sealed class ResourceTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Limits_are_in_the_cgroup()
    {
        await K.ApplyAsync(ShellPod("limited", "sleep 1000", "resources: {requests: {cpu: 100m, memory: 200M}, limits: {cpu: 500m, memory: 1G}}"));
        await K.ReadyAsync("limited");
        Assert.Equal("Burstable", await K.FieldAsync("limited", ".status.qosClass"));
        var id = (await K.FieldAsync("limited", ".status.containerStatuses[0].containerID")).Split("//")[1];
        var directories = Directory.GetDirectories("/sys/fs/cgroup", id, new EnumerationOptions { RecurseSubdirectories = true });
        Assert.Equal("999997440", OneOf(directories, "memory.limit_in_bytes", "memory.max")); // 1G in whole pages
        Assert.Contains(OneOf(directories, "cpu.cfs_quota_us", "cpu.max"), new[] { "50000", "50000 100000" });
        Assert.Contains(OneOf(directories, "cpu.shares", "cpu.weight"), new[] { "102", "4" });
    }

    [Fact]
    public async Task Containers_share_what_the_pod_as_a_whole_has_and_it_can_be_resized()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: pool}
            spec:
              terminationGracePeriodSeconds: 1
              resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}
              containers:
              - {name: free, image: "busybox:stable", command: [sleep, "1000"]}
              - {name: own, image: "busybox:stable", command: [sleep, "1000"], resources: {limits: {cpu: 50m, memory: 32Mi}}}
              - {name: restarts, image: "busybox:stable", command: [sleep, "1000"], resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]}
            """);
        await K.ReadyAsync("pool");
        Assert.Equal("Burstable", await K.FieldAsync("pool", ".status.qosClass"));
        await SharesAsync("20000", "134217728", "102", "4");
        Assert.Equal("100m 64Mi 200m 128Mi", await K.FieldAsync(
            "pool", ".status.allocatedResources.cpu} {.status.allocatedResources.memory} {.status.resources.limits.cpu} {.status.resources.limits.memory"));

        await K.OkAsync("patch pod pool --subresource resize -p", """{"spec":{"resources":{"requests":{"cpu":"200m"},"limits":{"cpu":"300m","memory":"160Mi"}}}}""");
        await K.WaitAsync("pool", ".status.containerStatuses[2].restartCount", "1");
        await K.WaitAsync("pool", ".status.resources.limits.memory", "160Mi");
        await K.ReadyAsync("pool");
        await K.EventAsync("pool", "ResizeCompleted");
        await SharesAsync("30000", "167772160", "204", "8");
        Assert.Equal("200m 64Mi 200m 300m 0 0 1", await K.FieldAsync(
            "pool", ".status.allocatedResources.cpu} {.status.allocatedResources.memory} {.status.resources.requests.cpu} {.status.resources.limits.cpu} {.status.containerStatuses[*].restartCount"));
        await K.OkAsync("delete pod pool --grace-period=0 --force");

        // The pod's cgroup, and those of containers without limits of their own, have the pod's.
        async Task SharesAsync(string quota, string memory, params string[] weight)
        {
            var pod = Cgroups("pod" + await K.FieldAsync("pool", ".metadata.uid"));
            Assert.Contains(OneOf(pod, "cpu.shares", "cpu.weight"), weight);
            foreach (var (directories, cpu, bytes) in new[]
            {
                (pod, quota, memory), (Cgroups(await IdAsync(0)), quota, memory), (Cgroups(await IdAsync(1)), "5000", "33554432"), (Cgroups(await IdAsync(2)), quota, memory),
            })
            {
                Assert.Contains(OneOf(directories, "cpu.cfs_quota_us", "cpu.max"), new[] { cpu, cpu + " 100000" });
                Assert.Equal(bytes, OneOf(directories, "memory.limit_in_bytes", "memory.max"));
            }
        }

        async Task<string> IdAsync(int index) => (await K.FieldAsync("pool", $".status.containerStatuses[{index}].containerID")).Split("//")[1];
    }

    [Fact]
    public async Task A_container_over_its_memory_limit_is_killed_and_says_so()
    {
        await K.ApplyAsync(ShellPod("greedy", "tail /dev/zero", "resources: {limits: {memory: 32Mi}}", "restartPolicy: Never"));
        await K.WaitAsync("greedy", ".status.phase", "Failed");
        Assert.Equal("OOMKilled 137", await K.FieldAsync("greedy",
            ".status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode"));
        Assert.Matches(@"greedy\s+0/1\s+OOMKilled\s+0", await K.OkAsync("get pod greedy"));
    }

    [Fact]
    public async Task The_environment_has_values_fields_resources_and_services()
    {
        await K.OkAsync("create service clusterip early --tcp=80:8080");
        await K.OkAsync("create configmap settings --from-literal=COLOR=blue");
        await K.OkAsync("create secret generic keys --from-literal=token=s3cret");
        await K.ApplyAsync(ShellPod("env", "sleep 1000", """
            resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 500m, memory: 128Mi}}
                envFrom: [{prefix: CFG_, configMapRef: {name: settings}}]
                env:
                - {name: TESTENV01, value: testvalue01}
                - {name: BOTH, value: "$(TESTENV01)-$(NOWHERE)-$$(TESTENV01)"}
                - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
                - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
                - {name: CPU_REQUEST, valueFrom: {resourceFieldRef: {containerName: main, resource: requests.cpu}}}
                - {name: CPU_LIMIT, valueFrom: {resourceFieldRef: {containerName: main, resource: limits.cpu, divisor: 1m}}}
                - {name: MEMORY_LIMIT, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
                - {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}
            """));
        await K.ReadyAsync("env");
        var env = (await K.ShAsync("env", "env")).Split('\n');
        var ip = await K.FieldAsync("env", ".status.podIP");
        var service = await K.OkAsync("get service early -o", "jsonpath={.spec.clusterIP}");
        foreach (var line in new[]
        {
            "HOSTNAME=env", "TESTENV01=testvalue01", "BOTH=testvalue01-$(NOWHERE)-$(TESTENV01)", "POD_NAME=env", $"POD_IP={ip}", $"NODE_NAME={Cluster.Node}",
            "LABEL=env", "CPU_REQUEST=1", "CPU_LIMIT=500", "MEMORY_LIMIT=128", "TOKEN=s3cret", "CFG_COLOR=blue", $"EARLY_SERVICE_HOST={service}", "EARLY_SERVICE_PORT=80",
        })
        {
            Assert.Contains(line, env);
        }

        Assert.Contains(env, e => e.StartsWith("KUBERNETES_SERVICE_HOST=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_waits_for_the_object_that_it_refers_to()
    {
        await K.ApplyAsync(ShellPod("waits", "echo $WORD; sleep 1000", "env: [{name: WORD, valueFrom: {configMapKeyRef: {name: comes-later, key: word}}}]"));
        await K.WaitAsync("waits", ".status.containerStatuses[0].state.waiting.reason", "CreateContainerConfigError");
        Assert.Contains("comes-later", await K.FieldAsync("waits", ".status.containerStatuses[0].state.waiting.message"));
        await K.OkAsync("create configmap comes-later --from-literal=word=here");
        await K.ReadyAsync("waits", 60);
        Assert.Equal("here\n", await K.OkAsync("logs waits"));
    }

    private static string[] Cgroups(string name) => Directory.GetDirectories("/sys/fs/cgroup", name, new EnumerationOptions { RecurseSubdirectories = true });

    private static string OneOf(string[] directories, params string[] files) =>
        File.ReadAllText(directories.SelectMany(d => files.Select(f => Path.Combine(d, f))).First(File.Exists)).Trim();
}
