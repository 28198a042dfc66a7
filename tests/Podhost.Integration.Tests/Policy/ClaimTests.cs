using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>PersistentVolumes of the node, their claims, and pods that mount them.</summary>
public sealed class ClaimTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_claim_is_bound_mounted_kept_while_in_use_and_released()
    {
        var directory = Directory.CreateTempSubdirectory("claim").FullName;
        try
        {
            await K.ApplyAsync(Volume("kept", $"hostPath: {{path: {directory}}}") + Claim("data", ""));
            (await K.RunAsync("wait pvc/data --timeout=30s", "--for=jsonpath={.status.phase}=Bound")).Ok();
            await K.ApplyAsync(ShellPod(
                "writer", "echo hello > /data/file; sleep 1000", "volumeMounts: [{name: d, mountPath: /data}]", "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]"));
            await K.ReadyAsync("writer");
            Assert.Equal("hello", (await File.ReadAllTextAsync(Path.Combine(directory, "file"), TestContext.Current.CancellationToken)).Trim());
            await K.OkAsync("delete pvc data --wait=false");
            Assert.Matches(@"data\s+Terminating\s+kept", await K.OkAsync("get pvc data"));
            await K.OkAsync("delete pod writer --timeout=30s");
            (await K.RunAsync("wait pvc/data --timeout=30s --for=delete")).Ok();
            (await K.RunAsync("wait pv/kept --timeout=30s", "--for=jsonpath={.status.phase}=Released")).Ok();
            Assert.True(File.Exists(Path.Combine(directory, "file")));
            await K.OkAsync("delete pv kept --timeout=30s");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_local_volume_waits_for_its_first_consumer_and_belongs_to_the_pods_group()
    {
        var directory = Directory.CreateTempSubdirectory("claim").FullName;
        try
        {
            await K.ApplyAsync("""
                apiVersion: storage.k8s.io/v1
                kind: StorageClass
                metadata: {name: delayed}
                provisioner: kubernetes.io/no-provisioner
                volumeBindingMode: WaitForFirstConsumer
                ---

                """ + Volume("local", $$$$$$"""
                storageClassName: delayed
                  local: {path: {{{{{{directory}}}}}}}
                  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]}]}}
                """) + Claim("waiting", "delayed"));
            await K.EventAsync("waiting", "WaitForFirstConsumer");
            await K.ApplyAsync(ShellPod(
                "consumer", "sleep 1000", "volumeMounts: [{name: d, mountPath: /data}]",
                "securityContext: {fsGroup: 4321, fsGroupChangePolicy: OnRootMismatch}\n  volumes: [{name: d, persistentVolumeClaim: {claimName: waiting}}]"));
            await K.ReadyAsync("consumer");
            Assert.Equal("local", await K.OkAsync("get pvc waiting -o", "jsonpath={.spec.volumeName}"));
            Assert.Equal("4321 2", await K.ShAsync("consumer", "touch /data/f; echo -n $(stat -c %g /data/f) $(stat -c %a /data | cut -c1)"));
            await K.OkAsync("delete pod consumer --timeout=30s");
            await K.OkAsync("delete pvc waiting --timeout=30s");
            await K.OkAsync("delete pv local --timeout=30s");
            await K.OkAsync("delete storageclass delayed");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_local_block_device_is_given_as_such_or_with_a_file_system()
    {
        var directory = Directory.CreateTempSubdirectory("claim").FullName;
        var (raw, formatted) = (await LoopAsync(directory, "raw"), await LoopAsync(directory, "formatted"));
        try
        {
            const string here = "nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]}]}}";
            await K.ApplyAsync(
                Volume("raw", $"storageClassName: raw\n  volumeMode: Block\n  local: {{path: {raw}}}\n  {here}") + Claim("raw", "raw").Replace("spec:", "spec:\n  volumeMode: Block", StringComparison.Ordinal)
                + Volume("formatted", $"storageClassName: formatted\n  local: {{path: {formatted}}}\n  {here}") + Claim("formatted", "formatted"));
            await K.ApplyAsync(ShellPod(
                "devices",
                "echo hello | dd of=/dev/mine conv=notrunc 2>/dev/null; head -c 5 /dev/mine; test -b /dev/mine && echo ' block'; echo there > /fs/file; sleep 1000",
                "volumeDevices: [{name: r, devicePath: /dev/mine}]\n    volumeMounts: [{name: f, mountPath: /fs}]",
                "securityContext: {fsGroup: 4321}\n  volumes: [{name: r, persistentVolumeClaim: {claimName: raw}}, {name: f, persistentVolumeClaim: {claimName: formatted}}]"));
            await K.ReadyAsync("devices");
            Assert.Equal("there 4321", await K.ShAsync("devices", "until test -e /fs/file; do sleep 0.1; done; echo -n $(cat /fs/file) $(stat -c %g /fs)"));
            Assert.Equal("hello block\n", await K.OkAsync("logs devices"));
            Assert.Equal("ext4", (await Shell.RunAsync("blkid", ["-p", "-s", "TYPE", "-o", "value", formatted])).Ok().Trim());
            await K.ApplyAsync(ShellPod("again", "cat /fs/file; sleep 1000", "volumeMounts: [{name: f, mountPath: /fs}]", "volumes: [{name: f, persistentVolumeClaim: {claimName: formatted}}]"));
            await K.ReadyAsync("again");
            Assert.Equal("there\n", await K.OkAsync("logs again"));
            await K.ApplyAsync(ShellPod("wrong", "true", "volumeMounts: [{name: r, mountPath: /fs}]", "volumes: [{name: r, persistentVolumeClaim: {claimName: raw}}]"));
            await K.EventAsync("wrong", "FailedMount");
            Assert.Contains("volume r has volumeMode Block, but is specified in volumeMounts", await K.OkAsync("get events"), StringComparison.Ordinal);
            await K.OkAsync("delete pod devices again wrong --timeout=30s");
            Assert.DoesNotContain(formatted, await File.ReadAllTextAsync("/proc/mounts", TestContext.Current.CancellationToken), StringComparison.Ordinal);
            await K.OkAsync("delete pvc raw formatted --timeout=30s");
            await K.OkAsync("delete pv raw formatted --timeout=30s");
        }
        finally
        {
            (await Shell.RunAsync("losetup", ["-d", raw, formatted])).Ok();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<string> LoopAsync(string directory, string name)
    {
        var file = Path.Combine(directory, name);
        await using (var stream = File.Create(file))
        {
            stream.SetLength(16 << 20);
        }

        return (await Shell.RunAsync("losetup", ["-f", "--show", file])).Ok().Trim();
    }

    [Fact]
    public async Task An_ephemeral_volume_gets_a_claim_that_goes_with_its_pod()
    {
        var directory = Directory.CreateTempSubdirectory("claim").FullName;
        try
        {
            await K.ApplyAsync(Volume("scratch-volume", $"storageClassName: scratch\n  hostPath: {{path: {directory}}}"));
            await K.ApplyAsync(ShellPod("passing", "sleep 1000", "volumeMounts: [{name: s, mountPath: /s}]", """
                volumes: [{name: s, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: scratch, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}}}]
                """));
            await K.ReadyAsync("passing");
            Assert.Equal("Bound", await K.OkAsync("get pvc passing-s -o", "jsonpath={.status.phase}"));
            await K.OkAsync("delete pod passing --timeout=30s");
            (await K.RunAsync("wait pvc/passing-s --timeout=30s --for=delete")).Ok();
            await K.OkAsync("delete pv scratch-volume --timeout=30s");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_pod_whose_claim_is_not_bound_waits_and_says_why()
    {
        await K.ApplyAsync(Claim("unbound", "nowhere"));
        await K.ApplyAsync(ShellPod(
            "stuck", "sleep 1000", "volumeMounts: [{name: d, mountPath: /data}]", "volumes: [{name: d, persistentVolumeClaim: {claimName: unbound}}]"));
        await K.WaitAsync("stuck", "condition=PodScheduled=false");
        Assert.Contains("pod has unbound immediate PersistentVolumeClaims", await K.FieldAsync("stuck", ".status.conditions[?(@.type=='PodScheduled')].message"));
        await K.EventAsync("unbound", "ProvisioningFailed");
        await K.OkAsync("delete pod stuck --timeout=30s");
        await K.OkAsync("delete pvc unbound --timeout=30s");
    }

    [Fact]
    public async Task A_claim_that_names_no_class_gets_the_default_one_once_there_is_one()
    {
        await K.ApplyAsync(Claim("classless", "").Replace("storageClassName: \"\"", "volumeMode: Filesystem", StringComparison.Ordinal));
        await K.EventAsync("classless", "FailedBinding");
        await K.ApplyAsync("""
            apiVersion: storage.k8s.io/v1
            kind: StorageClass
            metadata: {name: usual, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
            provisioner: kubernetes.io/no-provisioner
            """);
        (await K.RunAsync("wait pvc/classless --timeout=30s", "--for=jsonpath={.spec.storageClassName}=usual")).Ok();
        await K.OkAsync("delete pvc classless --timeout=30s");
        await K.OkAsync("delete storageclass usual");
    }

    private static string Volume(string name, string spec) => $$"""
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: {{name}}}
        spec:
          capacity: {storage: 1Gi}
          accessModes: [ReadWriteOnce]
          {{spec}}
        ---

        """;

    private static string Claim(string name, string storageClass) => $$$"""
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: {{{name}}}}
        spec:
          storageClassName: "{{{storageClass}}}"
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 1Gi}}
        ---

        """;
}
