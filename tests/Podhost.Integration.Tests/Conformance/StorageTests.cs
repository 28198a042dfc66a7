using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>Modes, owners and contents of files in volumes.</summary>
public sealed class StorageTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Files_of_objects_have_their_modes_and_the_group_of_the_pod()
    {
        await K.OkAsync("create configmap modes --from-literal=a=one --from-literal=b=two");
        await K.OkAsync("patch configmap modes --type=merge -p", """{"binaryData":{"bin":"3sr+"}}""");
        await K.OkAsync("create secret generic modes --from-literal=a=one");
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: modes, labels: {app: modes}}
            spec:
              restartPolicy: Never
              securityContext: {runAsUser: 1000, fsGroup: 1001}
              containers:
              - name: main
                image: busybox:stable
                resources: {requests: {cpu: 250m, memory: 32Mi}, limits: {cpu: 1250m, memory: 64Mi}}
                command: [sh, -c, "cd /v; stat -Lc '%n %a %u:%g' cm cm/a items/path/to/b secret/a all/cm all/secret all/name about/name; cat cm/a items/path/to/b secret/a all/cm all/secret all/name; echo; od -An -tx1 cm/bin; grep . about/*"]
                volumeMounts:
                - {name: cm, mountPath: /v/cm}
                - {name: items, mountPath: /v/items}
                - {name: secret, mountPath: /v/secret}
                - {name: all, mountPath: /v/all}
                - {name: about, mountPath: /v/about}
              volumes:
              - {name: cm, configMap: {name: modes, defaultMode: 0440}}
              - {name: items, configMap: {name: modes, items: [{key: b, path: path/to/b, mode: 0400}]}}
              - {name: secret, secret: {secretName: modes, defaultMode: 0440}}
              - name: all
                projected:
                  defaultMode: 0440
                  sources:
                  - {configMap: {name: modes, items: [{key: a, path: cm}]}}
                  - {secret: {name: modes, items: [{key: a, path: secret}]}}
                  - {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
              - name: about
                downwardAPI:
                  items:
                  - {path: name, mode: 0400, fieldRef: {fieldPath: metadata.name}}
                  - {path: cpu-limit, resourceFieldRef: {containerName: main, resource: limits.cpu, divisor: 1m}}
                  - {path: cpu-request, resourceFieldRef: {containerName: main, resource: requests.cpu, divisor: 1m}}
                  - {path: memory-limit, resourceFieldRef: {containerName: main, resource: limits.memory}}
                  - {path: memory-request, resourceFieldRef: {containerName: main, resource: requests.memory}}
            """);
        await K.WaitAsync("modes", ".status.phase", "Succeeded");
        Assert.Equal("""
            cm 2777 0:1001
            cm/a 440 0:1001
            items/path/to/b 440 0:1001
            secret/a 440 0:1001
            all/cm 440 0:1001
            all/secret 440 0:1001
            all/name 440 0:1001
            about/name 440 0:1001
            onetwooneoneonemodes
             de ca fe
            about/cpu-limit:1250
            about/cpu-request:250
            about/memory-limit:67108864
            about/memory-request:33554432
            about/name:modes

            """, await K.OkAsync("logs modes"));
    }

    [Fact]
    public async Task Empty_directories_are_everybodys_on_disk_and_in_memory()
    {
        const string look = "for v in disk memory; do stat -c '%n %a %u:%g' /$v; echo x > /$v/$NAME; stat -c '%n %a %u:%g' /$v/$NAME; done; grep -c ' /memory tmpfs ' /proc/mounts; df -k /sized | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /sub /memsub";
        string Pod(string name, string security) => $$$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: {{{name}}}}
            spec:
              restartPolicy: Never
              securityContext: {{{security}}}
              containers:
              - {name: root, image: "busybox:stable", command: [sh, -c, {{{System.Text.Json.JsonSerializer.Serialize(look)}}}], env: [{name: NAME, value: root}], volumeMounts: &mounts [{name: d, mountPath: /disk}, {name: m, mountPath: /memory}, {name: s, mountPath: /sized}, {name: d, mountPath: /sub, subPath: sub}, {name: m, mountPath: /memsub, subPath: sub}]}
              - {name: other, image: "busybox:stable", command: [sh, -c, {{{System.Text.Json.JsonSerializer.Serialize(look)}}}], env: [{name: NAME, value: other}], securityContext: {runAsUser: 1001}, volumeMounts: *mounts}
              volumes: [{name: d, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}, {name: s, emptyDir: {medium: Memory, sizeLimit: 8Mi}}]
            """;
        await K.ApplyAsync(Pod("plain", "{}"));
        await K.ApplyAsync(Pod("grouped", "{fsGroup: 123}"));
        await K.WaitAsync("plain", ".status.phase", "Succeeded");
        await K.WaitAsync("grouped", ".status.phase", "Succeeded");
        string Expected(string name, int user, string disk, string memory, int group) =>
            $"/disk {disk} 0:{group}\n/disk/{name} 644 {user}:{group}\n/memory {memory} 0:{group}\n/memory/{name} 644 {user}:{group}\n1\n8192\n{disk}\n{memory}\n";
        Assert.Equal(Expected("root", 0, "777", "1777", 0), await K.OkAsync("logs plain -c root"));
        Assert.Equal(Expected("other", 1001, "777", "1777", 0), await K.OkAsync("logs plain -c other"));
        Assert.Equal(Expected("root", 0, "2777", "3777", 123), await K.OkAsync("logs grouped -c root"));
        Assert.Equal(Expected("other", 1001, "2777", "3777", 123), await K.OkAsync("logs grouped -c other"));
    }

    [Fact]
    public async Task Optional_objects_appear_when_they_are_made_and_go_when_they_go()
    {
        await K.ApplyAsync(ShellPod("optional", "sleep 1000", """
            volumeMounts: [{name: cm, mountPath: /cm}, {name: secret, mountPath: /secret}, {name: all, mountPath: /all}]
            """, """
            volumes:
              - {name: cm, configMap: {name: later, optional: true}}
              - {name: secret, secret: {secretName: later, optional: true}}
              - {name: all, projected: {sources: [{configMap: {name: later, optional: true, items: [{key: k, path: cm}]}}, {secret: {name: later, optional: true, items: [{key: k, path: secret}]}}]}}
            """));
        await K.ReadyAsync("optional");
        await K.OkAsync("create configmap later --from-literal=k=v");
        await K.OkAsync("create secret generic later --from-literal=k=v");
        await K.ShAsync("optional", "until [ -e /cm/k ] && [ -e /secret/k ] && [ -e /all/cm ] && [ -e /all/secret ]; do sleep 0.2; done");
        await K.OkAsync("delete configmap/later secret/later");
        await K.ShAsync("optional", "while [ -e /cm/k ] || [ -e /secret/k ] || [ -e /all/cm ] || [ -e /all/secret ]; do sleep 0.2; done");
        await K.OkAsync("delete pod optional --timeout=20s");
    }

    [Fact]
    public async Task A_pod_waits_for_objects_and_keys_that_it_needs_and_says_which()
    {
        await K.OkAsync("create configmap present --from-literal=k=v");
        foreach (var (name, volume, message) in new[]
        {
            ("no-configmap", "configMap: {name: absent}", "configmap \"absent\" not found"),
            ("no-key", "configMap: {name: present, items: [{key: absent, path: p}]}", "non-existent config key: absent"),
            ("no-secret", "projected: {sources: [{secret: {name: absent}}]}", "secret \"absent\" not found"),
        })
        {
            await K.ApplyAsync(ShellPod(name, "true", "volumeMounts: [{name: v, mountPath: /v}]", $"volumes: [{{name: v, {volume}}}]"));
            await K.EventAsync(name, "FailedMount");
            Assert.Contains(message, await K.OkAsync($"get events --field-selector=involvedObject.name={name},reason=FailedMount -o", "jsonpath={.items[*].message}"));
            Assert.Equal("Pending", await K.FieldAsync(name, ".status.phase"));
            await K.OkAsync($"delete pod {name} --timeout=20s");
        }
    }
}
