using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Cri.V1;
using Podhost.Kubelet.Tests.Support;
using Podhost.Kubelet.Volumes;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Tests.Volumes;

/// <summary>subPath, honest and hostile.</summary>
public sealed class SubPathTests : IDisposable
{
    private const string Uid = "11111111-2222-3333-4444-555555555555";
    private readonly string _root = Directory.CreateTempSubdirectory("subpath").FullName;
    private readonly FakeObjects _objects = new();
    private readonly VolumeManager _manager;

    public SubPathTests() => _manager = new VolumeManager(
        new VolumeManagerOptions { RootDirectory = _root }, _objects, () => Objects.Node(), new Mounter(), TimeProvider.System, NullLogger<VolumeManager>.Instance);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Volume => Path.Combine(_root, "pods", Uid, "volumes", "kubernetes.io~empty-dir", "v");

    public void Dispose()
    {
        foreach (var mount in MountTable.Read().Where(m => m.MountPoint.StartsWith(_root + "/", StringComparison.Ordinal)).Reverse())
        {
            new Mounter().Unmount(mount.MountPoint);
        }

        Directory.Delete(_root, recursive: true);
    }

    [RootFact]
    public async Task A_missing_directory_is_made_with_the_mode_and_group_of_the_volume()
    {
        var mount = await Resolve("subPath: new/deep", "securityContext: {fsGroup: 4242}");
        var made = PathStatus.Read(Path.Combine(Volume, "new/deep"))!;
        Assert.Equal(("2777", 4242u), (Convert.ToString(made.Mode, 8), made.Gid));
        File.WriteAllText(Path.Combine(mount.HostPath, "f"), "x");
        Assert.Equal("x", File.ReadAllText(Path.Combine(Volume, "new/deep/f")));
        Assert.Equal(Path.Combine(_root, "pods", Uid, "volume-subpaths/v/a/0"), mount.HostPath);
    }

    [RootFact]
    public async Task Variables_make_the_path_and_a_missing_one_is_an_error()
    {
        await Resolve("subPathExpr: logs/$(POD)");
        Assert.True(Directory.Exists(Path.Combine(Volume, "logs/web")));
        var e = await Assert.ThrowsAsync<VolumeException>(() => Resolve("subPathExpr: $(NONE)"));
        Assert.Equal("missing value for \"NONE\"", e.Message);
        await Assert.ThrowsAsync<VolumeException>(() => Resolve("subPathExpr: $(EVIL)/x"));
    }

    [RootFact]
    public async Task A_link_inside_is_followed_and_a_link_out_is_refused()
    {
        await Resolve("subPath: real");
        File.WriteAllText(Path.Combine(Volume, "real/f"), "inside");
        File.CreateSymbolicLink(Path.Combine(Volume, "in"), "real");
        Assert.Equal("inside", File.ReadAllText(Path.Combine((await Resolve("subPath: in")).HostPath, "f")));

        foreach (var (name, target) in new[] { ("abs", "/etc"), ("up", "../../.."), ("self", "/proc/self/root"), ("loop", "loop") })
        {
            File.CreateSymbolicLink(Path.Combine(Volume, name), target);
            var e = await Assert.ThrowsAsync<VolumeException>(() => Resolve("subPath: " + name));
            Assert.Equal("failed to prepare subPath for volumeMount \"v\" of container \"a\"", e.Message);
            await Assert.ThrowsAsync<VolumeException>(() => Resolve($"subPath: {name}/created"));
        }

        Assert.False(Directory.Exists("/etc/created"));
    }

    [RootFact]
    public async Task A_file_can_be_mounted_and_a_newer_version_is_taken_by_the_next_start()
    {
        _objects.SetConfigMap("m", ("k", "1"));
        var pod = Objects.Pod("volumes: [{name: v, configMap: {name: m}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /x, subPath: k}]}]");
        var first = await Resolve(pod);
        Assert.Equal("1", File.ReadAllText(first.HostPath));
        Assert.Equal(first.HostPath, (await Resolve(pod)).HostPath);

        // The running container keeps what it has: a subPath is not updated.
        _objects.SetConfigMap("m", ("k", "2"));
        pod = Objects.Pod("volumes: [{name: v, configMap: {name: m}}]\ncontainers: [{name: a, volumeMounts: [{name: v, mountPath: /x, subPath: k}]}]");
        pod.Metadata.Labels = new Dictionary<string, string> { ["new"] = "label" };
        await _manager.MountAsync(pod, [], Cancel);
        Assert.Equal("1", File.ReadAllText(first.HostPath));
        Assert.Equal("2", File.ReadAllText((await Resolve(pod)).HostPath));
        Assert.Single(MountTable.Read(), m => m.MountPoint == first.HostPath);
    }

    /// <summary>A container swaps a directory for a link to the host's files, over and over, while its subPath is resolved.</summary>
    [RootFact]
    public async Task A_race_of_links_never_leads_out()
    {
        await Resolve("subPath: x");
        var outside = Directory.CreateDirectory(Path.Combine(_root, "outside")).FullName;
        var secret = PathStatus.Read(Directory.CreateDirectory(Path.Combine(outside, "secret")).FullName)!;
        Directory.CreateDirectory(Path.Combine(Volume, "good"));
        using var done = new CancellationTokenSource();
        var attacker = Task.Run(() => Swap(done.Token));
        var (inside, refused) = (0, 0);
        for (var i = 0; i < 2000 && (i < 300 || inside == 0 || refused == 0); i++)
        {
            try
            {
                PathBeneath.CreateDirectories(Volume, "target/made", 0x1ff);
                using var opened = PathBeneath.TryOpen(Volume, "target/secret") ?? PathBeneath.TryOpen(Volume, "target/made");
                Assert.NotEqual(secret.Inode, opened?.Status.Inode);
                inside++;
            }
            catch (LinuxException)
            {
                refused++;
            }
        }

        await done.CancelAsync();
        await attacker;
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(outside).Select(p => Path.GetFileName(p)));
        Assert.True(inside > 0 && refused > 0, $"the race was not run: {inside} inside, {refused} refused");
    }

    [RootFact]
    public async Task A_fifo_or_device_is_no_env_file_and_a_link_out_is_not_read()
    {
        await Resolve("subPath: x");
        var pod = Objects.Pod("volumes: [{name: v, emptyDir: {}}]\ncontainers: [{name: a}]");
        var reader = new VolumeFileReader(new PodPaths(_root));
        File.WriteAllText(Path.Combine(Volume, "env"), "A='1'");
        File.CreateSymbolicLink(Path.Combine(Volume, "out"), "/etc/hostname");
        Assert.Equal("A='1'", reader.Read(pod, "v", "env", 100));
        Assert.Null(reader.Read(pod, "v", "none", 100));
        Assert.Throws<LinuxException>(() => reader.Read(pod, "v", "out", 100));
        Assert.Throws<IOException>(() => reader.Read(pod, "v", "env", 3));
        Assert.Throws<IOException>(() => reader.Read(pod, "v", "x", 100));
    }

    private void Swap(CancellationToken done)
    {
        var target = Path.Combine(Volume, "target");
        while (!done.IsCancellationRequested)
        {
            try
            {
                Directory.Move(Path.Combine(Volume, "good"), target);
                Directory.Move(target, Path.Combine(Volume, "good"));
                File.CreateSymbolicLink(target, Path.Combine(_root, "outside"));
                File.Delete(target);
            }
            catch (IOException)
            {
                // The other side made something in between; start over.
                Reset(target);
            }
        }
    }

    private void Reset(string target)
    {
        if (new FileInfo(target).LinkTarget is not null)
        {
            File.Delete(target);
        }
        else
        {
            DeleteAgainstTheOther(target);
        }

        Directory.CreateDirectory(Path.Combine(Volume, "good"));
    }

    /// <summary>The other side may make something inside while it is deleted: then once more.</summary>
    private static void DeleteAgainstTheOther(string target)
    {
        while (Directory.Exists(target))
        {
            try
            {
                Directory.Delete(target, recursive: true);
            }
            catch (IOException)
            {
                Thread.Yield();
            }
        }
    }

    private Task<Mount> Resolve(string mount, string more = "") => Resolve(Objects.Pod(
        $"volumes: [{{name: v, emptyDir: {{}}}}]\ncontainers: [{{name: a, volumeMounts: [{{name: v, mountPath: /x, {mount}}}]}}]\n{more}"));

    private async Task<Mount> Resolve(V1Pod pod)
    {
        await _manager.MountAsync(pod, [], Cancel);
        var env = new Dictionary<string, string> { ["POD"] = "web", ["EVIL"] = ".." };
        return (await _manager.ResolveMountsAsync(pod, pod.Spec.Containers[0], env, MountSupport.None, Cancel))[0];
    }
}
