using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>securityContext in real containers.</summary>
public sealed class SecurityTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_container_runs_as_the_user_asked_for_on_a_read_only_root()
    {
        await K.ApplyAsync(ShellPod("secure", "sleep 1000", """
            securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
                volumeMounts: [{name: w, mountPath: /work}]
            """, """
            securityContext: {runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, runAsNonRoot: true}
              volumes: [{name: w, emptyDir: {}}]
            """));
        await K.ReadyAsync("secure");
        Assert.Equal("1000 2000 3000", await K.ShAsync("secure", "echo -n $(id -u) $(id -g) $(id -G | tr ' ' '\\n' | grep 3000)"));
        Assert.Contains("Read-only file system", (await K.RunAsync("exec secure -- touch /new")).Fails());
        Assert.Equal("3000", (await K.ShAsync("secure", "touch /work/new; stat -c %g /work/new")).Trim());
        var status = await K.ShAsync("secure", "cat /proc/self/status");
        Assert.Matches(@"CapEff:\s+0000000000000000", status);
        Assert.Matches(@"NoNewPrivs:\s+1", status);
        Assert.Matches(@"Seccomp:\s+2", status);
    }

    [Fact]
    public async Task An_image_of_root_is_refused_where_root_is_not_allowed()
    {
        await K.ApplyAsync(ShellPod("not-root", "sleep 1000", "securityContext: {runAsNonRoot: true}"));
        await K.WaitAsync("not-root", ".status.containerStatuses[0].state.waiting.reason", "CreateContainerConfigError");
        Assert.Contains("runAsNonRoot", await K.FieldAsync("not-root", ".status.containerStatuses[0].state.waiting.message"));
        await K.OkAsync("delete pod not-root --timeout=20s");
    }

    [Fact]
    public async Task A_pod_may_have_users_of_its_own()
    {
        await K.OkAsync("create configmap own-users --from-literal=key=value");
        await K.ApplyAsync(ShellPod("own-users", "touch /data/file; sleep 1000", """
            volumeMounts: [{name: c, mountPath: /config}, {name: e, mountPath: /data}, {name: m, mountPath: /memory}]
            """, """
            hostUsers: false
              volumes: [{name: c, configMap: {name: own-users, defaultMode: 0400}}, {name: e, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
            """));
        var feature = await K.OkAsync($"get node {Cluster.Node} -o", "jsonpath={.status.runtimeHandlers[0].features.userNamespaces}");
        if (feature != "true")
        {
            await K.EventAsync("own-users", "FailedCreatePodSandBox");
            Assert.Contains("can't set `spec.hostUsers: false`, runtime does not support user namespaces", await K.OkAsync("describe pod own-users"));
            await K.OkAsync("delete pod own-users --grace-period=1 --timeout=20s");
            return;
        }

        await K.ReadyAsync("own-users");
        var map = (await K.ShAsync("own-users", "cat /proc/self/uid_map")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["0", "65536"], [map[0], map[2]]);
        Assert.Equal("value 0 0:0 0:0 0:0", await K.ShAsync(
            "own-users", "echo -n $(cat /config/key) $(id -u) $(stat -Lc %u:%g /config/key) $(stat -c %u:%g /data/file) $(touch /memory/x; stat -c %u:%g /memory/x)"));
        var uid = await K.FieldAsync("own-users", ".metadata.uid");
        var record = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Cluster.Root, "data", "kubelet", "pods", uid, "userns")))!;
        Assert.Equal(map[1], record["uidMappings"]![0]!["hostId"]!.ToJsonString());
        Assert.True(uint.Parse(map[1]) >= 65536);
        await K.OkAsync("delete pod own-users --grace-period=1 --timeout=20s");
    }

    [Fact]
    public async Task Strict_groups_are_those_of_the_pod_alone_and_its_status_names_them()
    {
        await K.ApplyAsync(ShellPod(
            "strict", "sleep 1000", "", "securityContext: {runAsUser: 1000, runAsGroup: 2000, supplementalGroups: [60000], supplementalGroupsPolicy: Strict}"));
        if (await K.OkAsync($"get node {Cluster.Node} -o", "jsonpath={.status.features.supplementalGroupsPolicy}") == "true")
        {
            await K.ReadyAsync("strict");
            Assert.Equal("2000 60000", await K.ShAsync("strict", "echo -n $(id -G)"));
            Assert.Equal("""{"gid":2000,"supplementalGroups":[2000,60000],"uid":1000}""", await K.FieldAsync("strict", ".status.containerStatuses[0].user.linux"));
        }
        else
        {
            await K.WaitAsync("strict", ".status.reason", "SupplementalGroupsPolicyNotSupported");
            Assert.Contains("SupplementalGroupsPolicy=Strict is not supported in this node", await K.FieldAsync("strict", ".status.message"));
        }

        await K.OkAsync("delete pod strict --grace-period=1 --timeout=20s");
    }
}
