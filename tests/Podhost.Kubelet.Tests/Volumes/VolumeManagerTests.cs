using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Cri.V1;
using Podhost.Kubelet.Tests.Support;
using Podhost.Kubelet.Volumes;
using Podhost.Kubelet.Volumes.Handlers;
using Podhost.Linux.Mounts;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Tests.Volumes;

/// <summary>Real directories, tmpfs and bind mounts below a temporary directory.</summary>
public sealed class VolumeManagerTests : IDisposable
{
    private const string Uid = "11111111-2222-3333-4444-555555555555";
    private static readonly MountSupport Everything = new(true, new Dictionary<string, string> { ["img"] = "sha256:x" });
    private static readonly IReadOnlyDictionary<string, string> NoEnv = new Dictionary<string, string>();

    private readonly string _root = Directory.CreateTempSubdirectory("volumes").FullName;
    private readonly FakeObjects _objects = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2026-01-01T00:00:00Z"));
    private readonly VolumeManager _manager;

    public VolumeManagerTests() => _manager = Manager();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var mount in MountTable.Read().Where(m => m.MountPoint.StartsWith(_root + "/", StringComparison.Ordinal)).Reverse())
        {
            new Mounter().Unmount(mount.MountPoint);
        }

        Directory.Delete(_root, recursive: true);
    }

    [RootFact]
    public async Task Empty_dirs_on_disk_and_in_memory_are_open_to_all_and_belong_to_the_group()
    {
        await Mount("""
            securityContext: {fsGroup: 4242}
            volumes: [{name: disk, emptyDir: {}}, {name: mem, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]
            containers: [{name: a, volumeMounts: [{name: disk, mountPath: /d}, {name: mem, mountPath: /m}]}]
            """);
        var disk = PathStatus.Read(At("empty-dir/disk"))!;
        var memory = PathStatus.Read(At("empty-dir/mem"))!;
        Assert.Equal(("2777", 4242u), (Convert.ToString(disk.Mode, 8), disk.Gid));
        Assert.Equal(("3777", 4242u), (Convert.ToString(memory.Mode, 8), memory.Gid));
        Assert.True(memory.IsMountRoot);
        Assert.Throws<IOException>(() => File.WriteAllBytes(At("empty-dir/mem/big"), new byte[2 << 20]));
    }

    [RootFact]
    public async Task Without_a_group_an_empty_dir_is_0777_and_a_second_start_changes_nothing_in_it()
    {
        const string spec = "volumes: [{name: v, emptyDir: {}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /d}]}]";
        await Mount(spec);
        Assert.Equal("777", Convert.ToString(PathStatus.Read(At("empty-dir/v"))!.Mode, 8));
        File.WriteAllText(At("empty-dir/v/kept"), "x");
        PathOwnership.SetMode(At("empty-dir/v"), 0x1ed);

        await Manager().MountAsync(Objects.Pod(spec), [], Cancel);
        Assert.Equal("755", Convert.ToString(PathStatus.Read(At("empty-dir/v"))!.Mode, 8));
        Assert.Equal("x", File.ReadAllText(At("empty-dir/v/kept")));
    }

    [RootFact]
    public async Task Secrets_are_in_memory_with_their_modes()
    {
        _objects.SetSecret("s", ("key", "value"), ("other", "x"));
        await Mount("""
            securityContext: {fsGroup: 4242}
            volumes: [{name: v, secret: {secretName: s, defaultMode: 256, items: [{key: key, path: deep/er, mode: 288}, {key: other, path: o}]}}]
            containers: [{name: a, volumeMounts: [{name: v, mountPath: /d}]}]
            """);
        Assert.True(PathStatus.Read(At("secret/v"))!.IsMountRoot);
        Assert.Equal("value", File.ReadAllText(At("secret/v/deep/er")));

        // 0400 and the group's right to read: 0440, of the group.
        var file = PathStatus.Read(At("secret/v/o"))!;
        Assert.Equal(("440", 4242u), (Convert.ToString(file.Mode, 8), file.Gid));
    }

    [RootFact]
    public async Task A_missing_object_is_told_as_upstream_tells_it_and_the_other_volumes_are_set_up()
    {
        const string spec = """
            volumes: [{name: x, configMap: {name: y-map}}, {name: v, emptyDir: {}}, {name: opt, secret: {secretName: none, optional: true}}]
            containers: [{name: a, volumeMounts: [{name: x, mountPath: /x}, {name: v, mountPath: /v}, {name: opt, mountPath: /o}]}]
            """;
        var e = await Assert.ThrowsAsync<VolumeException>(() => Mount(spec));
        Assert.Equal("MountVolume.SetUp failed for volume \"x\" : configmap \"y-map\" not found", e.Message);
        Assert.True(Directory.Exists(At("empty-dir/v")));
        Assert.False(Directory.Exists(At("configmap/x")));

        _objects.SetConfigMap("y-map", ("k", "v"));
        await Mount(spec);
        Assert.Equal("v", File.ReadAllText(At("configmap/x/k")));
        Assert.Empty(Directory.GetFiles(At("secret/opt")));
    }

    [RootFact]
    public async Task A_missing_key_is_an_error_unless_it_is_optional()
    {
        _objects.SetConfigMap("m", ("k", "v"));
        const string spec = "volumes: [{{name: x, configMap: {{name: m, optional: {0}, items: [{{key: none, path: p}}]}}}}]\ncontainers: [{{name: a, volumeMounts: [{{name: x, mountPath: /x}}]}}]";
        var e = await Assert.ThrowsAsync<VolumeException>(() => Mount(string.Format(spec, "false")));
        Assert.EndsWith("configmap references non-existent config key: none", e.Message);
        await Mount(string.Format(spec, "true"));
    }

    [RootFact]
    public async Task Kinds_that_are_not_there_are_refused_by_name()
    {
        var e = await Assert.ThrowsAsync<VolumeException>(() => Mount("volumes: [{name: x, nfs: {server: s, path: p}}]\ncontainers: [{name: a, volumeMounts: [{name: x, mountPath: /x}]}]"));
        Assert.EndsWith("nfs volumes are not supported by this node", e.Message);
    }

    [RootFact]
    public async Task A_projected_volume_combines_its_sources()
    {
        _objects.SetConfigMap("m", ("color", "red"));
        _objects.SetSecret("s", ("key", "value"));
        _objects.Token = _ => Token("t1", minutes: 60);
        await Mount("""
            volumes:
            - name: all
              projected:
                sources:
                - configMap: {name: m}
                - secret: {name: s, items: [{key: key, path: secret/key}]}
                - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, {path: cpu, resourceFieldRef: {containerName: a, resource: limits.cpu}}]}
                - serviceAccountToken: {path: token, audience: vault}
            containers: [{name: a, securityContext: {runAsUser: 1234}, volumeMounts: [{name: all, mountPath: /all}]}]
            """);
        Assert.Equal("red", File.ReadAllText(At("projected/all/color")));
        Assert.Equal("value", File.ReadAllText(At("projected/all/secret/key")));
        Assert.Equal("app=\"web\"", File.ReadAllText(At("projected/all/labels")));
        Assert.Equal("2", File.ReadAllText(At("projected/all/cpu")));
        Assert.Equal("t1", File.ReadAllText(At("projected/all/token")));
        var token = PathStatus.Read(At("projected/all/token"))!;
        Assert.Equal(("600", 1234u), (Convert.ToString(token.Mode, 8), token.Uid));
    }

    [RootFact]
    public async Task A_token_is_renewed_at_80_percent_of_its_life()
    {
        var made = 0;
        _objects.Token = _ => Token("t" + ++made, minutes: 100);
        await Mount("volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: token}}]}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}]");
        await Running(async () =>
        {
            _time.Advance(TimeSpan.FromMinutes(79));
            Assert.Equal("t1", File.ReadAllText(At("projected/v/token")));
            using var watcher = new Changes(At("projected/v"));
            _time.Advance(TimeSpan.FromMinutes(2));
            await watcher.UntilAsync(() => File.ReadAllText(At("projected/v/token")) == "t2", Cancel);
        });
        Assert.Equal(2, made);
    }

    [RootFact]
    public async Task A_changed_object_is_written_when_it_is_told_and_not_before()
    {
        _objects.SetConfigMap("m", ("k", "1"));
        await Mount("volumes: [{name: v, configMap: {name: m}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}]");
        await Running(async () =>
        {
            _objects.SetConfigMap("m", ("k", "2"), ("new", "x"));
            Assert.Equal("1", File.ReadAllText(At("configmap/v/k")));
            using var watcher = new Changes(At("configmap/v"));
            _objects.RaiseChanged(Uid);
            await watcher.UntilAsync(() => File.ReadAllText(At("configmap/v/k")) == "2" && File.Exists(At("configmap/v/new")), Cancel);
        });
    }

    [RootFact]
    public async Task New_labels_of_a_pod_are_written()
    {
        const string spec = "volumes: [{name: v, downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}]";
        await Mount(spec);
        var newer = Objects.Pod(spec);
        newer.Metadata.Labels = new Dictionary<string, string> { ["app"] = "other" };
        await _manager.MountAsync(newer, [], Cancel);
        Assert.Equal("app=\"other\"", File.ReadAllText(At("downward-api/v/l")));
    }

    [RootFact]
    public async Task Mounts_carry_read_only_propagation_and_paths()
    {
        _objects.SetConfigMap("m", ("k", "1"));
        Directory.CreateDirectory(Path.Combine(_root, "host"));
        var pod = Objects.Pod($$$"""
            volumes:
            - {name: map, configMap: {name: m}}
            - {name: host, hostPath: {path: {{{_root}}}/host, type: Directory}}
            - {name: img, image: {reference: registry/x}}
            containers:
            - name: a
              volumeMounts:
              - {name: map, mountPath: /map}
              - {name: host, mountPath: host, mountPropagation: HostToContainer}
              - {name: host, mountPath: /ro, readOnly: true, recursiveReadOnly: Enabled}
              - {name: img, mountPath: /img, subPath: lib}
            """);
        await _manager.MountAsync(pod, [], Cancel);
        var mounts = await _manager.ResolveMountsAsync(pod, pod.Spec.Containers[0], NoEnv, Everything, Cancel);
        Assert.Equal((true, At("configmap/map")), (mounts[0].Readonly, mounts[0].HostPath));
        Assert.Equal(("/host", MountPropagation.PropagationHostToContainer, false), (mounts[1].ContainerPath, mounts[1].Propagation, mounts[1].Readonly));
        Assert.Equal((true, true), (mounts[2].Readonly, mounts[2].RecursiveReadOnly));
        Assert.Equal(("sha256:x", "registry/x", "lib", ""), (mounts[3].Image.Image, mounts[3].Image.UserSpecifiedImage, mounts[3].ImageSubPath, mounts[3].HostPath));
        Assert.True(mounts[3].Readonly);
    }

    [Theory]
    [InlineData("readOnly: true", "Disabled", "Disabled")]
    [InlineData("recursiveReadOnly: Disabled", null, null)]
    [InlineData("readOnly: true, recursiveReadOnly: IfPossible", "Enabled", "Disabled")]
    [InlineData("readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: None", "Enabled", "Disabled")]
    [InlineData("readOnly: true, recursiveReadOnly: Enabled", "Enabled", "Disabled", "it is not supported by the runtime")]
    [InlineData("recursiveReadOnly: Enabled", null, null, "it is not read-only", true)]
    [InlineData("readOnly: true, recursiveReadOnly: Enabled, mountPropagation: HostToContainer", "Disabled", "Disabled", "it is not compatible with propagation \"HostToContainer\"", true)]
    public void Recursive_read_only_is_what_the_runtime_can(string fields, string? with, string? without, string? error = null, bool always = false)
    {
        var pod = Objects.Pod($"containers: [{{name: a, volumeMounts: [{{name: v, mountPath: /v, {fields}}}]}}]");
        var mount = pod.Spec.Containers[0].VolumeMounts[0];
        Assert.Equal((with, without), (RecursiveReadOnly.Shown(mount, true), RecursiveReadOnly.Shown(mount, false)));
        foreach (var supported in new[] { true, false })
        {
            if (error is null || (supported && !always))
            {
                Assert.Equal(RecursiveReadOnly.Shown(mount, supported) == "Enabled", RecursiveReadOnly.Of(mount, supported));
            }
            else
            {
                var thrown = Assert.Throws<VolumeSetUpException>(() => RecursiveReadOnly.Of(mount, supported));
                Assert.Equal($"volume \"v\" requested recursive read-only mode, but {error}", thrown.Message);
            }
        }
    }

    [RootFact]
    public async Task A_volume_of_another_node_is_not_looked_for_on_this_one()
    {
        const string spec = "volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}]";
        var directory = Directory.CreateDirectory(Path.Combine(_root, "local")).FullName;
        _objects.Claim = new V1PersistentVolumeClaim { Metadata = new V1ObjectMeta { Uid = "u" }, Spec = new(), Status = new() { Phase = "Bound" } };
        var term = new V1NodeSelectorTerm { MatchExpressions = [new() { Key = "kubernetes.io/hostname", OperatorProperty = "In", Values = ["there"] }] };
        _objects.Volume = new V1PersistentVolume
        {
            Metadata = new V1ObjectMeta { Name = "pv" },
            Spec = new()
            {
                Local = new() { Path = directory }, ClaimRef = new() { Uid = "u" }, NodeAffinity = new() { Required = new() { NodeSelectorTerms = [term] } },
            },
        };
        V1Node On(string name) => new() { Metadata = new() { Name = name, Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = name } } };
        _objects.Node = On("here");
        var e = await Assert.ThrowsAsync<VolumeException>(() => Mount(spec));
        Assert.Equal("MountVolume.NodeAffinity check failed for volume \"v\" : no matching NodeSelectorTerms", e.Message);
        _objects.Node = On("there");
        await Mount(spec);
        _objects.Node = On("here");
        await Mount(spec);
    }

    [RootFact]
    public async Task Host_paths_are_checked_by_type()
    {
        var missing = Path.Combine(_root, "missing");
        await HostPath(missing, "DirectoryOrCreate");
        Assert.Equal("755", Convert.ToString(PathStatus.Read(missing)!.Mode, 8));
        await HostPath(missing, "Directory");
        await HostPath(missing, "");
        await HostPath(Path.Combine(_root, "file"), "FileOrCreate");
        await HostPath(Path.Combine(_root, "file"), "File");
        await HostPath("/dev/null", "CharDevice");
        foreach (var (path, type, what) in new[]
        {
            (missing, "File", "file"), ("/dev/null", "BlockDevice", "block device"), (Path.Combine(_root, "file"), "Socket", "socket file"),
            (Path.Combine(_root, "none"), "Directory", "directory"), (Path.Combine(_root, "file"), "DirectoryOrCreate", "directory"),
        })
        {
            var e = await Assert.ThrowsAsync<VolumeException>(() => HostPath(path, type));
            Assert.EndsWith($"hostPath type check failed: {path} is not a {what}", e.Message);
        }
    }

    [RootFact]
    public async Task The_end_of_a_pod_takes_everything_down_and_nothing_of_the_host()
    {
        _objects.SetSecret("s", ("k", "v"));
        var host = Directory.CreateDirectory(Path.Combine(_root, "host/sub")).Parent!.FullName;
        File.WriteAllText(Path.Combine(host, "sub/precious"), "x");
        var pod = Objects.Pod($$$"""
            volumes: [{name: s, secret: {secretName: s}}, {name: e, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}, {name: h, hostPath: {path: {{{host}}}}}]
            containers: [{name: a, volumeMounts: [{name: s, mountPath: /s}, {name: e, mountPath: /e}, {name: m, mountPath: /m}, {name: h, mountPath: /h, subPath: sub}]}]
            """);
        await _manager.MountAsync(pod, [], Cancel);
        await _manager.ResolveMountsAsync(pod, pod.Spec.Containers[0], NoEnv, Everything, Cancel);
        File.CreateSymbolicLink(At("empty-dir/e/link"), host);
        new Mounter().Bind(host, Directory.CreateDirectory(At("empty-dir/e/bound")).FullName, recursive: false);

        Assert.Equal([Uid], _manager.PodsOnDisk());
        await _manager.UnmountAsync(Uid, Cancel);
        await _manager.UnmountAsync(Uid, Cancel);
        Assert.Empty(_manager.PodsOnDisk());
        Assert.DoesNotContain(MountTable.Read(), m => m.MountPoint.StartsWith(_root + "/", StringComparison.Ordinal));
        Assert.Equal("x", File.ReadAllText(Path.Combine(host, "sub/precious")));
    }

    [RootFact]
    public async Task Volumes_that_no_container_uses_are_left_alone()
    {
        await Mount("volumes: [{name: v, configMap: {name: none}}]\ncontainers: [{name: a}]");
        Assert.False(Directory.Exists(At("configmap/v")));
    }

    private Task HostPath(string path, string type) => Manager().MountAsync(
        Objects.Pod($"volumes: [{{name: v, hostPath: {{path: {path}, type: \"{type}\"}}}}]\ncontainers: [{{name: a, volumeMounts: [{{name: v, mountPath: /v}}]}}]"), [], Cancel);

    private async Task Mount(string spec)
    {
        var pod = Objects.Pod(spec);
        pod.Metadata.Labels = new Dictionary<string, string> { ["app"] = "web" };
        await _manager.MountAsync(pod, [], Cancel);
    }

    /// <summary>Runs the updates while the body runs.</summary>
    private async Task Running(Func<Task> body)
    {
        using var stop = new CancellationTokenSource();
        var run = _manager.RunAsync(stop.Token);
        await body();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    private V1TokenRequestStatus Token(string text, int minutes) =>
        new() { Token = text, ExpirationTimestamp = _time.GetUtcNow().AddMinutes(minutes).UtcDateTime };

    private string At(string relative) => Path.Combine(_root, "pods", Uid, "volumes", "kubernetes.io~" + relative);

    private VolumeManager Manager() => new(
        new VolumeManagerOptions { RootDirectory = _root }, _objects, () => Objects.Node(), new Mounter(), _time, NullLogger<VolumeManager>.Instance);

    /// <summary>Waits for something to become true in a directory, woken by changes of its entries.</summary>
    private sealed class Changes : IDisposable
    {
        private readonly FileSystemWatcher _watcher;
        private readonly SemaphoreSlim _changed = new(0);

        public Changes(string directory)
        {
            _watcher = new FileSystemWatcher(directory);
            _watcher.Renamed += (_, _) => _changed.Release();
            _watcher.Created += (_, _) => _changed.Release();
            _watcher.Deleted += (_, _) => _changed.Release();
            _watcher.EnableRaisingEvents = true;
        }

        public async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
        {
            while (!condition())
            {
                Assert.True(await _changed.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken), "nothing changed within 10 seconds");
            }
        }

        public void Dispose() => _watcher.Dispose();
    }
}
