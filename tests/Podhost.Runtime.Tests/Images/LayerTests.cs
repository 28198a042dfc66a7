using System.Text;
using CsCheck;
using Podhost.Linux.Files;
using Podhost.Runtime.Images;
using Podhost.Runtime.Images.Layers;
using Podhost.Runtime.Snapshots;

namespace Podhost.Runtime.Tests.Images;

/// <summary>Layers, good and hostile, applied in a directory beside a canary that must never change.</summary>
public sealed class LayerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("podhost-layer-").FullName;
    private readonly string _canary;

    public LayerTests()
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root to set owners and make devices");
        _canary = Path.Combine(_directory, "canary");
        Directory.CreateDirectory(Path.Combine(_canary, "dir"));
        File.WriteAllText(Path.Combine(_canary, "file"), "untouched");
    }

    public void Dispose() => FileTree.Delete(_directory, CancellationToken.None);

    [Fact]
    public async Task MetadataIsApplied()
    {
        var diff = await UnpackAsync(new TestLayer()
            .Directory("d/", (UnixFileMode)0x3FF, 7, 8)
            .File("d/setuid", "x", (UnixFileMode)0x9ED, 1000, 2000)
            .SymbolicLink("d/link", "/etc/passwd")
            .HardLink("d/hard", "d/setuid")
            .Device("d/null", 1, 3)
            .Fifo("d/fifo"));
        using var root = DirectoryHandle.Open(Path.Combine(diff, "d"));
        var file = root.Status(PathBytes.From("setuid"))!.Value;
        Assert.Equal((0x9ED, 1000u, 2000u, 2u), (file.Permissions, file.Uid, file.Gid, file.LinkCount));
        Assert.Equal(file.Inode, root.Status(PathBytes.From("hard"))!.Value.Inode);
        var link = new FileInfo(Path.Combine(diff, "d/link"));
        Assert.Equal("/etc/passwd", link.LinkTarget);
        var device = root.Status(PathBytes.From("null"))!.Value;
        Assert.Equal((0x2000, 1u, 3u), (device.Mode & 0xF000, device.DeviceMajor, device.DeviceMinor));
        Assert.Equal(0x1000, root.Status(PathBytes.From("fifo"))!.Value.Mode & 0xF000);
        var directory = root.Status();
        Assert.Equal((0x3FF, 7u, 8u), (directory.Permissions, directory.Uid, directory.Gid));
    }

    [Fact]
    public async Task BinaryFileCapabilitiesSurvive()
    {
        // VFS_CAP_REVISION_2 with cap_setuid (bit 7): 0x80 is no UTF-8, and 0x0a is a newline.
        byte[] capability = [1, 0, 0, 2, 0x80, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        var diff = await UnpackAsync(new TestLayer().FileWithPax("ping", TestLayer.PaxRecord("SCHILY.xattr.security.capability", capability)));
        Assert.Equal(capability, Xattr(Path.Combine(diff, "ping"), "security.capability"));
    }

    [Fact]
    public async Task AttributesOfOverlayfsItselfAreDropped()
    {
        var diff = await UnpackAsync(new TestLayer().FileWithPax("x", TestLayer.PaxRecord("SCHILY.xattr.trusted.overlay.redirect", "/etc"u8.ToArray())));
        Assert.Null(Xattr(Path.Combine(diff, "x"), "trusted.overlay.redirect"));
    }

    [Fact]
    public async Task WhiteoutsBecomeDevicesAndOpaqueMarks()
    {
        var diff = await UnpackAsync(new TestLayer().Directory("a/").File("a/.wh.gone", "").Directory("b/").File("b/.wh..wh..opq", "").File("b/new", "x"));
        using var root = DirectoryHandle.Open(Path.Combine(diff, "a"));
        Assert.True(root.Status(PathBytes.From("gone"))!.Value.IsWhiteout);
        Assert.Equal("y"u8.ToArray(), Xattr(Path.Combine(diff, "b"), "trusted.overlay.opaque"));
        Assert.Equal(["new"], Directory.EnumerateFileSystemEntries(Path.Combine(diff, "b")).Select(p => Path.GetFileName(p)));
    }

    [Fact]
    public async Task AWhiteoutBesideItsNewDirectoryHidesOnlyTheOldOne()
    {
        foreach (var layer in (TestLayer[])[
            new TestLayer().Directory("d/").File("d/new", "x").File(".wh.d", ""),
            new TestLayer().File(".wh.d", "").Directory("d/").File("d/new", "x"),
            new TestLayer().File(".wh.d", "").File("d/new", "x")])
        {
            var diff = await UnpackAsync(layer);
            Assert.True(File.Exists(Path.Combine(diff, "d/new")));
            Assert.Equal("y"u8.ToArray(), Xattr(Path.Combine(diff, "d"), "trusted.overlay.opaque"));
        }
    }

    [Fact]
    public async Task TheLastEntryOfANameWins()
    {
        var diff = await UnpackAsync(new TestLayer().Directory("x/").Directory("x/y/").File("x/y/z", "1").File("x", "file").File("x", "again"));
        Assert.Equal("again", await File.ReadAllTextAsync(Path.Combine(diff, "x")));
    }

    [Fact]
    public async Task LongNamesUnpack()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('n', 200), 15)) + "/file";
        var diff = await UnpackAsync(new TestLayer().File(name, "deep"));
        Assert.Equal("deep", await File.ReadAllTextAsync(Path.Combine(diff, name)));
    }

    [Theory]
    [InlineData("../canary/file")]
    [InlineData("a/../../canary/file")]
    [InlineData("/../canary/file")]
    [InlineData("..")]
    public Task DotDotNamesAreRefused(string name) => RefuseAsync(new TestLayer().Raw(TestLayer.Block(name, '0', 0)));

    [Fact]
    public async Task AbsoluteNamesStayInside()
    {
        var diff = await UnpackAsync(new TestLayer().File("/etc/x", "inside"));
        Assert.Equal("inside", await File.ReadAllTextAsync(Path.Combine(diff, "etc/x")));
    }

    [Fact]
    public async Task WritingThroughAnAbsoluteLinkStaysInside()
    {
        // As in a chroot: the link leads to a directory of the layer, which is not there.
        await RefuseAsync(new TestLayer().SymbolicLink("out", _canary).File("out/file", "hacked"));
        await RefuseAsync(new TestLayer().SymbolicLink("out", "../../../../../../../../" + _canary).File("out/file", "hacked"));
        await RefuseAsync(new TestLayer().SymbolicLink("a", "b").SymbolicLink("b", "c").SymbolicLink("c", _canary).File("a/file", "hacked"));

        var diff = await UnpackAsync(new TestLayer().Directory("real/").SymbolicLink("link", "/real").File("link/file", "inside"));
        Assert.Equal("inside", await File.ReadAllTextAsync(Path.Combine(diff, "real/file")));
    }

    [Fact]
    public async Task ALinkIsReplacedAndNotWrittenThrough()
    {
        var diff = await UnpackAsync(new TestLayer().SymbolicLink("file", Path.Combine(_canary, "file")).File("file", "new"));
        Assert.Equal("new", await File.ReadAllTextAsync(Path.Combine(diff, "file")));
        Assert.Null(new FileInfo(Path.Combine(diff, "file")).LinkTarget);
        AssertCanary();
    }

    [Fact]
    public async Task MetadataDoesNotGoThroughALink()
    {
        await UnpackAsync(new TestLayer().SymbolicLink("dir", Path.Combine(_canary, "dir")).Directory("dir/", (UnixFileMode)0x1FF, 99, 99));
        using var canary = DirectoryHandle.Open(Path.Combine(_canary, "dir"));
        Assert.Equal(0u, canary.Status().Uid);
    }

    [Fact]
    public async Task HardLinksCannotReachOutside()
    {
        await RefuseAsync(new TestLayer().Raw(TestLayer.Block("hard", '1', 0, "../canary/file")));
        await RefuseAsync(new TestLayer().HardLink("hard", Path.Combine(_canary, "file")));
        await RefuseAsync(new TestLayer().SymbolicLink("out", _canary).HardLink("hard", "out/file"));
    }

    [Fact]
    public async Task WhiteoutsCannotReachOutside()
    {
        await RefuseAsync(new TestLayer().SymbolicLink("out", _canary).File("out/.wh.file", ""));
        await RefuseAsync(new TestLayer().SymbolicLink("out", _canary).File("out/.wh..wh..opq", ""));
        await RefuseAsync(new TestLayer().File(".wh..", ""));
        await RefuseAsync(new TestLayer().File(".wh...", ""));
        await RefuseAsync(new TestLayer().File(".wh.", ""));
    }

    [Fact]
    public async Task LinkLoopsAreRefused() =>
        await RefuseAsync(new TestLayer().SymbolicLink("a", "b").SymbolicLink("b", "a").File("a/x", "x"));

    [Fact]
    public async Task TooManyEntriesAreRefused()
    {
        var layer = new TestLayer();
        for (var i = 0; i < 20; i++)
        {
            layer.File($"f{i}", "");
        }

        var e = await RefuseAsync(layer, new LayerLimits { MaxEntries = 19 });
        Assert.Equal(ImageError.TooLarge, e.Error);
    }

    [Fact]
    public async Task ABombIsRefusedBeforeItGoesOff()
    {
        var bomb = TestLayer.Gzip(new TestLayer().File("zeros", new byte[32 << 20]).Tar());
        Assert.True(bomb.Length < 1 << 20);
        var e = await RefuseAsync(bomb, new LayerLimits { MaxBytes = 1 << 20 });
        Assert.Equal(ImageError.TooLarge, e.Error);
    }

    [Fact]
    public async Task ClaimedSizesTakeNoMemory()
    {
        await RefuseAsync(new TestLayer().Raw(TestLayer.Block("pax", 'x', 8L << 30)));
        await RefuseAsync(new TestLayer().Raw(TestLayer.Block("name", 'L', 8L << 30)));
        await RefuseAsync(new TestLayer().Raw(TestLayer.Block("file", '0', 8L << 30)));
    }

    [Fact]
    public async Task TruncatedLayersAreRefused()
    {
        var tar = new TestLayer().File("file", new byte[5000]).Tar();
        foreach (var length in (int[])[100, 512, 700, 1024, 3000])
        {
            await RefuseAsync(tar[..length]);
        }

        var gzip = TestLayer.Gzip(new TestLayer().File("file", Enumerable.Range(0, 50_000).Select(i => (byte)(i * 7919 >> 3)).ToArray()).Tar());
        await RefuseAsync(gzip[..(gzip.Length / 2)]);
        var zstd = TestLayer.Zstd(new TestLayer().File("file", Enumerable.Range(0, 50_000).Select(i => (byte)(i * 7919 >> 3)).ToArray()).Tar());
        await RefuseAsync(zstd[..(zstd.Length / 2)]);
    }

    [Fact]
    public async Task UnknownAndBrokenEntriesAreRefused()
    {
        await RefuseAsync(new TestLayer().Raw(TestLayer.Block("x", 'V', 0)));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("major=1")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "map=0,5")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "offset=0")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "numbytes=0")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "map=8,0,4,0")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "map=11,0")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "map=-1,1")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=10", "map=x")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("major=1", "minor=0", "realsize=10", "name=y")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("major=2", "realsize=10")));
        await RefuseAsync(new TestLayer().FileWithPax("x", Sparse("size=9999999999999", "map=0,0")));
        await RefuseAsync(new TestLayer().FileWithPax("x", "99 path=x\n"u8.ToArray()));
    }

    [Theory]
    [InlineData("--format=gnu")]
    [InlineData("--format=pax --sparse-version=0.0")]
    [InlineData("--format=pax --sparse-version=0.1")]
    [InlineData("--format=pax --sparse-version=1.0")]
    public async Task SparseFilesOfTarKeepTheirContentAndTheirHoles(string options)
    {
        const int part = 8192, parts = 60; // More than a header and two extension blocks of the old form hold.
        var from = Directory.CreateTempSubdirectory("podhost-sparse-").FullName;
        try
        {
            using (var file = File.OpenHandle(Path.Combine(from, "sparse"), FileMode.Create, FileAccess.Write))
            {
                for (var i = 0; i < parts; i++)
                {
                    RandomAccess.Write(file, Enumerable.Repeat((byte)(i + 1), part / 2).ToArray(), (2L * i + 1) * part);
                }

                RandomAccess.SetLength(file, 4L * parts * part);
            }

            await File.WriteAllTextAsync(Path.Combine(from, "zfter"), "after", TestContext.Current.CancellationToken);
            var archive = Path.Combine(from, "archive");
            using (var tar = System.Diagnostics.Process.Start("tar", [.. options.Split(' '), "-C", from, "--sparse", "-cf", archive, "sparse", "zfter"]))
            {
                await tar.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            Assert.True(new FileInfo(archive).Length < 2L * parts * part, "tar wrote no sparse archive");
            var diff = await UnpackAsync(await File.ReadAllBytesAsync(archive, TestContext.Current.CancellationToken), null);
            Assert.True(File.ReadAllBytes(Path.Combine(from, "sparse")).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(diff, "sparse"))));
            Assert.Equal("after", await File.ReadAllTextAsync(Path.Combine(diff, "zfter"), TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(from, recursive: true);
        }
    }

    [Fact]
    public void DamagedTarsNeverCrashAndNeverEscape()
    {
        var tar = new TestLayer().Directory("d/").File("d/f", "content").SymbolicLink("l", "/etc").HardLink("h", "d/f").File(".wh.x", "")
            .FileWithPax("p", TestLayer.PaxRecord("SCHILY.xattr.user.a", [0xff])).Tar();
        Gen.Select(Gen.Int[0, tar.Length - 1], Gen.Byte).Array[1, 20].Sample(
            changes =>
            {
                var damaged = tar.ToArray();
                foreach (var (position, value) in changes)
                {
                    damaged[position] = value;
                }

                try
                {
                    UnpackAsync(damaged, null).GetAwaiter().GetResult();
                }
                catch (ImageException)
                {
                    // Refused: nothing may be left.
                }

                AssertCanary();
                return true;
            },
            iter: 300,
            threads: 1);
    }

    private Task<string> UnpackAsync(TestLayer layer) => UnpackAsync(layer.Tar(), null);

    private async Task<string> UnpackAsync(byte[] blob, LayerLimits? limits)
    {
        // Anything but the digest of what is unpacked: the true one is learnt from the refusal.
        var store = new LayerStore(Path.Combine(_directory, "layers"), limits ?? new LayerLimits(), durable: false);
        var diffId = DiffId(blob);
        var chainId = Digest.Of(Guid.NewGuid().ToByteArray());
        try
        {
            await store.UnpackAsync(chainId, [], () => new MemoryStream(blob), diffId, CancellationToken.None);
        }
        finally
        {
            AssertCanary();
            Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_directory, "layers"), ".*"));
        }

        return store.DiffPath(chainId);
    }

    private static string DiffId(byte[] blob)
    {
        using var stream = LayerStream.Open(new MemoryStream(blob), long.MaxValue);
        try
        {
            return stream.Finish(CancellationToken.None);
        }
        catch (ImageException)
        {
            return Digest.Of([]);
        }
    }

    private static byte[] Sparse(params string[] records) => [.. records.Select(record => record.Split('=')).SelectMany(pair =>
        TestLayer.PaxRecord("GNU.sparse." + pair[0], Encoding.UTF8.GetBytes(pair[1])))];

    private Task<ImageException> RefuseAsync(TestLayer layer, LayerLimits? limits = null) => RefuseAsync(layer.Tar(), limits);

    private async Task<ImageException> RefuseAsync(byte[] blob, LayerLimits? limits = null) =>
        await Assert.ThrowsAsync<ImageException>(() => UnpackAsync(blob, limits));

    private void AssertCanary()
    {
        Assert.Equal("untouched", File.ReadAllText(Path.Combine(_canary, "file")));
        Assert.Equal(["dir", "file"], Directory.EnumerateFileSystemEntries(_canary).Select(p => Path.GetFileName(p)).Order());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_canary, "dir")));
    }

    private static byte[]? Xattr(string path, string name)
    {
        using var directory = DirectoryHandle.Open(Path.GetDirectoryName(path)!);
        return directory.ExtendedAttribute(PathBytes.From(Path.GetFileName(path)), PathBytes.From(name));
    }
}
