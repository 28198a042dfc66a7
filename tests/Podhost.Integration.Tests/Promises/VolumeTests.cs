using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Volumes in real containers.</summary>
public sealed class VolumeTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Objects_are_files_with_their_modes_and_follow_changes()
    {
        await K.OkAsync("create configmap page --from-literal=index.html=one --from-literal=other=x");
        await K.OkAsync("create secret generic keys --from-literal=token=s3cret");
        await K.ApplyAsync(ShellPod("files", "sleep 1000", """
            volumeMounts:
                - {name: page, mountPath: /page}
                - {name: keys, mountPath: /keys, readOnly: true}
                - {name: all, mountPath: /all}
                - {name: about, mountPath: /about}
                - {name: memory, mountPath: /memory}
                - {name: page, mountPath: /single/index.html, subPath: index.html}
            """, """
            volumes:
              - {name: page, configMap: {name: page}}
              - {name: keys, secret: {secretName: keys, defaultMode: 0400}}
              - {name: memory, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
              - {name: about, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
              - name: all
                projected:
                  sources:
                  - {configMap: {name: page, items: [{key: index.html, path: a/b.html}]}}
                  - {secret: {name: keys}}
                  - {serviceAccountToken: {path: token-of-account, expirationSeconds: 3600}}
                  - {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
            """));
        await K.ReadyAsync("files");
        Assert.Equal("one", await K.ShAsync("files", "cat /page/index.html"));
        Assert.Equal("one", await K.ShAsync("files", "cat /single/index.html"));
        Assert.Equal("s3cret 400\n", await K.ShAsync("files", "echo $(cat /keys/token) $(stat -Lc %a /keys/token)"));
        Assert.Equal("one files s3cret 2\n", await K.ShAsync("files", "echo $(cat /all/a/b.html) $(cat /all/name) $(cat /all/token) $(tr -cd . < /all/token-of-account | wc -c)"));
        Assert.Equal("app=\"files\"", (await K.ShAsync("files", "cat /about/labels")).Trim());
        Assert.Contains("tmpfs", await K.ShAsync("files", "grep ' /memory ' /proc/mounts"));
        Assert.NotEqual(0, (await K.RunAsync("exec files -- touch /keys/new")).Code);
        Assert.Contains("BEGIN CERTIFICATE", await K.ShAsync("files", "cat /var/run/secrets/kubernetes.io/serviceaccount/ca.crt"));

        // The container waits for the change; a volume is refreshed within the kubelet's period.
        await K.OkAsync("patch configmap page --type=merge -p", """{"data":{"index.html":"two"}}""");
        await K.OkAsync("label pod files colour=blue");
        await K.ShAsync("files", "until grep -q two /page/index.html; do sleep 0.2; done");
        await K.ShAsync("files", "until grep -q colour /about/labels; do sleep 0.2; done");
        Assert.Equal("one", await K.ShAsync("files", "cat /single/index.html"));
    }

    [Fact]
    public async Task A_host_directory_is_shared_and_its_type_checked()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Cluster.Root, "host")).FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "from-host"), "hello");
        await K.ApplyAsync(ShellPod("host", "cp /host/from-host /host/from-pod; sleep 1000", "volumeMounts: [{name: h, mountPath: /host}]",
            $"volumes: [{{name: h, hostPath: {{path: {directory}, type: Directory}}}}]"));
        await K.ReadyAsync("host");
        await K.ShAsync("host", "until [ -e /host/from-pod ]; do sleep 0.1; done");
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(directory, "from-pod")));

        await K.ApplyAsync(ShellPod("host-wrong", "sleep 1000", "volumeMounts: [{name: h, mountPath: /host}]",
            $"volumes: [{{name: h, hostPath: {{path: {directory}/nothing, type: Directory}}}}]"));
        await K.EventAsync("host-wrong", "FailedMount");
        await K.OkAsync("delete pod host-wrong --timeout=20s");
    }
}
