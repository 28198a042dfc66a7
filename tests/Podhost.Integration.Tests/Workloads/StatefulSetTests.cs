using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Workloads;

/// <summary>StatefulSets, as kubectl drives them.</summary>
public sealed class StatefulSetTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_set_has_names_and_hosts_of_its_own_is_scaled_updated_and_rolled_back()
    {
        await K.ApplyAsync(Service("peer") + Manifests.StatefulSet("peer", 2, """env: [{name: VERSION, value: "1"}]"""));
        await K.OkAsync("rollout status statefulset/peer --timeout=60s");
        Assert.Equal(["pod/peer-0", "pod/peer-1"], await NamesAsync("app=peer"));
        Assert.Equal("peer-1", (await K.ShAsync("peer-1", "hostname")).Trim());
        Assert.Equal("1", await K.FieldAsync("peer-1", @".metadata.labels.apps\.kubernetes\.io/pod-index"));
        Assert.Contains("2/2", await K.OkAsync("get statefulset peer"));

        // The second was made when the first was ready, and finds it by its name.
        var (first, second) = (await K.FieldAsync("peer-0", ".status.conditions[?(@.type=='Ready')].lastTransitionTime"), await K.FieldAsync("peer-1", ".metadata.creationTimestamp"));
        Assert.True(string.CompareOrdinal(second, first) >= 0, $"made at {second}, the one before ready at {first}");
        Assert.Contains("peer-0.peer", await K.ShAsync("peer-1", "for i in $(seq 1 100); do nslookup peer-0.peer.stateful-set-tests.svc.cluster.local && break; sleep 0.1; done"));

        await K.OkAsync("set env statefulset/peer VERSION=2");
        await K.OkAsync("rollout status statefulset/peer --timeout=60s");
        Assert.Equal("2", await K.FieldAsync("peer-0", ".spec.containers[0].env[0].value"));
        var history = await K.OkAsync("rollout history statefulset/peer");
        Assert.Matches(@"(?m)^1\s", history);
        Assert.Matches(@"(?m)^2\s", history);

        await K.OkAsync("rollout undo statefulset/peer");
        await K.OkAsync("rollout status statefulset/peer --timeout=60s");
        Assert.Equal("1", await K.FieldAsync("peer-1", ".spec.containers[0].env[0].value"));
        Assert.Matches(@"(?m)^3\s", await K.OkAsync("rollout history statefulset/peer"));

        await K.OkAsync("scale statefulset peer --replicas=1");
        await K.OkAsync("wait --for=delete pod/peer-1 --timeout=60s");
        Assert.Equal(["pod/peer-0"], await NamesAsync("app=peer"));
        await K.OkAsync("delete statefulset peer");
        await K.OkAsync("wait --for=delete pod/peer-0 --timeout=60s");
    }

    [Fact]
    public async Task Claims_outlive_their_pods_unless_the_policy_says_otherwise()
    {
        var retention = "{whenScaled: Delete, whenDeleted: Retain}";
        await K.ApplyAsync(Volumes() + Manifests.StatefulSet("kept", 2, "volumeMounts: [{name: data, mountPath: /data}]", $$$"""
              podManagementPolicy: Parallel
              persistentVolumeClaimRetentionPolicy: {{{retention}}}
              volumeClaimTemplates:
              - metadata: {name: data}
                spec: {accessModes: [ReadWriteOnce], storageClassName: stateful-tests, resources: {requests: {storage: 1Mi} } }
            """));
        await K.OkAsync("rollout status statefulset/kept --timeout=60s");
        await K.ShAsync("kept-0", "echo here > /data/file");
        await K.ReplaceAsync("pod/kept-0");
        await K.OkAsync("wait --for=create pod/kept-0 --timeout=60s");
        await K.ReadyAsync("kept-0");
        Assert.Equal("here", (await K.ShAsync("kept-0", "cat /data/file")).Trim());

        await K.OkAsync("scale statefulset kept --replicas=1");
        await K.OkAsync("wait --for=delete pvc/data-kept-1 --timeout=60s");
        await K.OkAsync("delete statefulset kept");
        await K.OkAsync("wait --for=delete pod/kept-0 --timeout=60s");
        Assert.Equal("persistentvolumeclaim/data-kept-0", (await K.OkAsync("get pvc -o name")).Trim());
        await K.OkAsync("delete pvc data-kept-0");
        await K.OkAsync("delete pv stateful-tests-0 stateful-tests-1");
    }

    [Fact]
    public async Task What_may_not_change_is_refused()
    {
        await K.ApplyAsync(Manifests.StatefulSet("fixed", 0, ""));
        var refused = await K.RunAsync(["patch", "statefulset", "fixed", "--type=merge", "-p", """{"spec":{"serviceName":"other"}}"""], null);
        Assert.Contains(
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
            + "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            refused.Error);
        await K.OkAsync("delete statefulset fixed");
    }

    private async Task<string[]> NamesAsync(string selector) =>
        (await K.OkAsync($"get pods -l {selector} -o name")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Service(string name) => $$$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{{name}}}}
        spec: {clusterIP: None, selector: {app: {{{name}}}}, ports: [{port: 80}]}
        ---

        """;

    private string Volumes() => string.Concat(Enumerable.Range(0, 2).Select(i => $$$"""
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: stateful-tests-{{{i}}}}
        spec:
          capacity: {storage: 1Mi}
          accessModes: [ReadWriteOnce]
          storageClassName: stateful-tests
          hostPath: {path: {{{Cluster.Root}}}/stateful-{{{i}}}, type: DirectoryOrCreate}
        ---

        """));
}
