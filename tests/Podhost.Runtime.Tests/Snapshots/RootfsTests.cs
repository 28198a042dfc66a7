using Grpc.Core;
using Podhost.Linux.Files;
using Podhost.Runtime.Images;
using Podhost.Runtime.Snapshots;
using Podhost.Runtime.Tests.Images;
using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Snapshots;

public sealed class RootfsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LayersMergeAndWritesStayInTheContainer()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var below = new TestLayer().Directory("etc/").File("etc/a", "below").File("etc/b", "below").File("etc/gone", "x")
            .Directory("opaque/").File("opaque/old", "x").Directory("tmp/", (UnixFileMode)0x3FF, 5, 6).Tar();
        var above = new TestLayer().File("etc/b", "above").File("etc/.wh.gone", "").Directory("opaque/").File("opaque/.wh..wh..opq", "")
            .File("opaque/new", "y").File("tmp/file", "z").Tar();
        await registry.PushAsync("app", "latest", TestImage.Create([below, above]));
        var id = await node.PullAsync($"{registry.Host}/app");

        var rootfs = await PrepareAsync(node, "c1", id);
        string Read(string path) => File.ReadAllText(Path.Combine(rootfs.Path, path));
        Assert.Equal("below", Read("etc/a"));
        Assert.Equal("above", Read("etc/b"));
        Assert.False(File.Exists(Path.Combine(rootfs.Path, "etc/gone")));
        Assert.Equal(["new"], Directory.EnumerateFileSystemEntries(Path.Combine(rootfs.Path, "opaque")).Select(p => Path.GetFileName(p)));

        // The upper layer's tar has no entry for tmp: the directory below keeps its owner and mode.
        using (var root = DirectoryHandle.Open(rootfs.Path))
        {
            var tmp = root.Status(PathBytes.From("tmp"))!.Value;
            Assert.Equal((0x3FF, 5u, 6u), (tmp.Permissions, tmp.Uid, tmp.Gid));
        }

        await File.WriteAllTextAsync(Path.Combine(rootfs.Path, "etc/a"), "changed", Token);
        var again = await node.Images.Rootfs.PrepareRootfsAsync("c1", id, null, Token);
        Assert.Equal(rootfs.Path, again.Path);
        Assert.Equal("changed", Read("etc/a"));
        var other = await node.Images.Rootfs.PrepareRootfsAsync("c2", id, null, Token);
        Assert.Equal("below", await File.ReadAllTextAsync(Path.Combine(other.Path, "etc/a"), Token));
        Assert.True((await node.Images.Rootfs.GetUsageAsync("c1", Token)).Inodes >= 3);

        await node.Images.Rootfs.RemoveRootfsAsync("c1", Token);
        await node.Images.Rootfs.RemoveRootfsAsync("c1", Token);
        Assert.Equal(["c2"], node.Images.Rootfs.List());
        Assert.Equal(["c2"], node.Files("rootfs"));
    }

    [Fact]
    public async Task AHundredLayersMount()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var tars = Enumerable.Range(0, 120).Select(i => new TestLayer().File($"f{i}", $"{i}").Tar()).ToArray();
        await registry.PushAsync("deep", "latest", TestImage.Create(tars));
        var rootfs = await PrepareAsync(node, "deep", await node.PullAsync($"{registry.Host}/deep"));
        Assert.Equal(120, rootfs.LowerDirs.Count);
        Assert.Equal(120, Directory.GetFiles(rootfs.Path).Length);
        Assert.EndsWith("/diff", rootfs.LowerDirs[0]);
        Assert.True(File.Exists(Path.Combine(rootfs.LowerDirs[0], "f119")));
    }

    [Fact]
    public async Task AnImageMountIsReadOnly()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Small());
        var id = await node.PullAsync($"{registry.Host}/app");
        Rootfs rootfs;
        try
        {
            rootfs = await node.Images.Rootfs.MountImageAsync("volume-1", id, null, Token);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Internal)
        {
            Assert.Skip("overlayfs cannot be mounted here: " + e.Status.Detail);
            return;
        }

        Assert.Null(rootfs.UpperDir);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(rootfs.Path, "etc/motd"), Token));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(rootfs.Path, "x"), "x"));
    }

    [Fact]
    public async Task ARunningContainerKeepsItsLayersAfterItsImageIsRemoved()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Small());
        var id = await node.PullAsync($"{registry.Host}/app");
        var rootfs = await PrepareAsync(node, "c1", id);
        await node.RestartAsync();
        await node.RemoveAsync(id);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(rootfs.Path, "etc/motd"), Token));
        Assert.Equal(2, node.Files("layers").Length);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine((await node.Images.Rootfs.PrepareRootfsAsync("c1", id, null, Token)).Path, "etc/motd"), Token));

        await node.Images.Rootfs.RemoveRootfsAsync("c1", Token);
        await node.RemoveAsync(id);
        Assert.Equal(["empty"], node.Files("layers"));
    }

    [Fact]
    public async Task ACrashInTheMiddleOfCreationLeavesNothing()
    {
        await using var node = await TestNode.StartAsync();
        Directory.CreateDirectory(Path.Combine(node.DataDirectory, "rootfs/half/upper"));
        Directory.CreateDirectory(Path.Combine(node.DataDirectory, "rootfs/.trash-1/upper/x"));
        Directory.CreateDirectory(Path.Combine(node.DataDirectory, "rootfs/damaged"));
        await File.WriteAllTextAsync(Path.Combine(node.DataDirectory, "rootfs/damaged/rootfs.json"), "", Token);
        Directory.CreateDirectory(Path.Combine(node.DataDirectory, "layers/.work-1/diff/x"));
        await node.RestartAsync();
        Assert.Empty(node.Images.Rootfs.List());
        Assert.Empty(node.Files("rootfs"));
        Assert.Equal(["empty"], node.Files("layers"));
    }

    [Fact]
    public async Task ASecondProcessIsRefused()
    {
        await using var node = await TestNode.StartAsync();
        var e = await Assert.ThrowsAsync<IOException>(() => EmbeddedImages.OpenAsync(
            new EmbeddedImagesOptions { Directory = node.DataDirectory },
            TimeProvider.System,
            new Random(1),
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance,
            Token));
        Assert.Contains("in use by another process", e.Message);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("")]
    public async Task KeysThatAreNoFileNamesAreRefused(string key)
    {
        await using var node = await TestNode.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => node.Images.Rootfs.PrepareRootfsAsync(key, "sha256:0", null, Token));
        Assert.Equal(StatusCode.InvalidArgument, e.StatusCode);
    }

    [Fact]
    public async Task AnAbsentImageIsNotFound()
    {
        await using var node = await TestNode.StartAsync();
        var e = await Assert.ThrowsAsync<RpcException>(() => node.Images.Rootfs.PrepareRootfsAsync("c1", "busybox", null, Token));
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
        Assert.Empty(node.Files("rootfs"));
    }

    internal static async Task<Rootfs> PrepareAsync(TestNode node, string key, string id)
    {
        try
        {
            return await node.Images.Rootfs.PrepareRootfsAsync(key, id, null, Token);
        }
        catch (RpcException e) when (e.Status.Detail.StartsWith("failed to mount rootfs", StringComparison.Ordinal))
        {
            Assert.Skip("overlayfs cannot be mounted here: " + e.Status.Detail);
            throw;
        }
    }
}
