using System.Text;
using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>The smaller fields of volumes and mounts, by what a container sees that prints it and ends.</summary>
public sealed class VolumeFieldTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Files_have_the_paths_modes_and_owners_of_their_items_or_of_their_volume()
    {
        await K.OkAsync("create configmap data --from-literal=a=one --from-literal=b=two --from-literal=c=three");
        await K.OkAsync("create secret generic keys --from-literal=token=s3cret --from-literal=other=x");
        await K.ApplyAsync(ShellPod("payloads", """
            for f in $(find /cm /keys /api /all /none -name '..*' -prune -o -type l -print | sort); do
              [ -d $f ] || echo $f $(stat -Lc '%u %a' $f) $(cat $f)
            done
            find /cm -name '..*' -prune -o -type f -print
            find -L /cm/x -type f -exec stat -c '%n %u %a' {} ';'
            stat -c '%n %a' /dir
            """, """
            resources: {limits: {cpu: 250m}}
                volumeMounts:
                - {name: cm, mountPath: /cm}
                - {name: keys, mountPath: /keys}
                - {name: api, mountPath: /api}
                - {name: all, mountPath: /all}
                - {name: none, mountPath: /none}
                - {name: dir, mountPath: /dir}
            """, """
            restartPolicy: Never
              volumes:
              - {name: cm, configMap: {name: data, defaultMode: 0440, defaultUser: 1001, items: [{key: a, path: x/first}, {key: b, path: second, mode: 0600, user: 1002}]}}
              - {name: keys, secret: {secretName: keys, defaultMode: 0400, defaultUser: 1003, items: [{key: token, path: t}]}}
              - {name: none, secret: {secretName: nothing, optional: true}}
              - {name: dir, emptyDir: {mode: 0750}}
              - name: api
                downwardAPI:
                  defaultMode: 0404
                  defaultUser: 1004
                  items:
                  - {path: name, fieldRef: {fieldPath: metadata.name}}
                  - {path: cpu, resourceFieldRef: {containerName: main, resource: limits.cpu, divisor: 1m}, mode: 0640, user: 1005}
              - name: all
                projected:
                  defaultMode: 0444
                  defaultUser: 1006
                  sources:
                  - {configMap: {name: data, items: [{key: c, path: third}]}}
                  - {secret: {name: keys, items: [{key: other, path: other, user: 1008}]}}
                  - {configMap: {name: nothing, optional: true}}
                  - {secret: {name: nothing, optional: true}}
            """));
        await K.WaitAsync("payloads", ".status.phase", "Succeeded");
        Assert.Equal("""
            /all/other 1008 444 x
            /all/third 1006 444 three
            /api/cpu 1005 640 250
            /api/name 1004 404 payloads
            /cm/second 1002 600 two
            /keys/t 1003 400 s3cret
            /cm/x/first 1001 440
            /dir 750

            """, await K.OkAsync("logs payloads"));
    }

    [Fact]
    public async Task A_token_is_for_its_audience_and_belongs_to_its_user()
    {
        await K.ApplyAsync(ShellPod("token", "stat -Lc '%u %a' /t/token; cut -d. -f2 /t/token", "volumeMounts: [{name: t, mountPath: /t}]", """
            restartPolicy: Never
              volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token, audience: vault.example, user: 1007}}]}}]
            """));
        await K.WaitAsync("token", ".status.phase", "Succeeded");
        var lines = (await K.OkAsync("logs token")).Split('\n');
        Assert.Equal("1007 644", lines[0]);
        var body = lines[1].Replace('-', '+').Replace('_', '/');
        var claims = JsonNode.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))))!;
        Assert.Equal("""["vault.example"]""", claims["aud"]!.ToJsonString());
        Assert.Equal($"system:serviceaccount:{K.Namespace}:default", (string?)claims["sub"]);
    }

    [Fact]
    public async Task Read_only_reaches_the_mounts_below_where_that_is_asked_for()
    {
        var feature = await K.OkAsync($"get node {Cluster.Node} -o", "jsonpath={.status.runtimeHandlers[0].features.recursiveReadOnlyMounts}");
        if (feature != "true")
        {
            await WithoutRecursionAsync();
            return;
        }

        var directory = Directory.CreateTempSubdirectory("fields").FullName;
        var inner = Directory.CreateDirectory(Path.Combine(directory, "inner")).FullName;
        (await Shell.RunAsync("mount", ["-t", "tmpfs", "tmpfs", inner])).Ok();
        try
        {
            await K.ApplyAsync(ShellPod("below", "for m in plain all try; do touch /$m/file || echo $m fails; touch /$m/inner/$m || echo $m inner fails; done 2> /dev/null", """
                volumeMounts:
                    - {name: h, mountPath: /plain, readOnly: true}
                    - {name: h, mountPath: /all, readOnly: true, recursiveReadOnly: Enabled}
                    - {name: h, mountPath: /try, readOnly: true, recursiveReadOnly: IfPossible}
                """, $"restartPolicy: Never\n  volumes: [{{name: h, hostPath: {{path: {directory}, type: Directory}}}}]"));
            await K.WaitAsync("below", ".status.phase", "Succeeded");
            Assert.Equal("plain fails\nall fails\nall inner fails\ntry fails\ntry inner fails\n", await K.OkAsync("logs below"));
            Assert.True(File.Exists(Path.Combine(inner, "plain")));
            Assert.Equal("Disabled Enabled Enabled", await K.FieldAsync(
                "below", ".status.containerStatuses[0].volumeMounts[?(@.name=='h')].recursiveReadOnly"));
        }
        finally
        {
            await K.RunAsync("delete pod below --grace-period=1 --timeout=30s");
            (await Shell.RunAsync("umount", [inner])).Ok();
            Directory.Delete(directory, recursive: true);
        }
    }

    // A runtime without it is asked for nothing: what must be so is refused, what may be so is not.
    private async Task WithoutRecursionAsync()
    {
        static string Mount(string mode) => $"volumeMounts: [{{name: h, mountPath: /h, readOnly: true, recursiveReadOnly: {mode}}}]";
        const string volumes = "volumes: [{name: h, emptyDir: {}}]";
        await K.ApplyAsync(ShellPod("must", "sleep 1000", Mount("Enabled"), volumes));
        await K.ApplyAsync(ShellPod("may", "sleep 1000", Mount("IfPossible"), volumes));
        await K.WaitAsync("must", ".status.containerStatuses[0].state.waiting.reason", "CreateContainerConfigError");
        Assert.Equal(
            "volume \"h\" requested recursive read-only mode, but it is not supported by the runtime",
            await K.FieldAsync("must", ".status.containerStatuses[0].state.waiting.message"));
        await K.ReadyAsync("may");
        Assert.Equal("Disabled", await K.FieldAsync("may", ".status.containerStatuses[0].volumeMounts[0].recursiveReadOnly"));
        await K.OkAsync("delete pod must may --grace-period=0 --force");
    }

    [Fact]
    public async Task A_claim_can_name_its_volume_be_mounted_read_only_and_have_labels_of_its_template()
    {
        var directory = Directory.CreateTempSubdirectory("fields").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "file"), "kept\n", TestContext.Current.CancellationToken);
            await K.ApplyAsync(Volume("fields-small", "1Gi", "fields", directory) + Volume("fields-large", "9Gi", "fields", directory)
                + Volume("fields-passing", "1Gi", "fields-passing", directory) + """
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: {name: chooses}
                spec: {storageClassName: fields, volumeName: fields-large, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
                """);
            await K.ApplyAsync(ShellPod("claims", "cat /d/file; touch /d/new 2>&1 || echo no; touch /s/new && echo yes", "volumeMounts: [{name: d, mountPath: /d}, {name: s, mountPath: /s}]", """
                restartPolicy: Never
                  volumes:
                  - {name: d, persistentVolumeClaim: {claimName: chooses, readOnly: true}}
                  - name: s
                    ephemeral:
                      volumeClaimTemplate:
                        metadata: {labels: {of: template}, annotations: {example.com/note: kept}}
                        spec: {storageClassName: fields-passing, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
                """));
            await K.WaitAsync("claims", ".status.phase", "Succeeded");
            Assert.Equal("kept\ntouch: /d/new: Read-only file system\nno\nyes\n", await K.OkAsync("logs claims"));
            Assert.Equal("fields-large Bound", await K.OkAsync("get pvc chooses -o", "jsonpath={.spec.volumeName} {.status.phase}"));
            Assert.Equal("template kept", await K.OkAsync("get pvc claims-s -o", "jsonpath={.metadata.labels.of} {.metadata.annotations.example\\.com/note}"));
        }
        finally
        {
            await K.RunAsync("delete pod claims --timeout=30s");
            await K.RunAsync("delete pvc chooses --timeout=30s");
            await K.RunAsync("delete pv fields-small fields-large fields-passing --timeout=30s");
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Volume(string name, string size, string storageClass, string directory) => $$$"""
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: {{{name}}}}
        spec: {storageClassName: {{{storageClass}}}, capacity: {storage: {{{size}}}}, accessModes: [ReadWriteOnce], hostPath: {path: "{{{directory}}}"}}
        ---

        """;
}
