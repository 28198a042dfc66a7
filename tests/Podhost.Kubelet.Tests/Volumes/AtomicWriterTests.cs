using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Podhost.Kubelet.Volumes;
using Podhost.Kubelet.Volumes.Payloads;

namespace Podhost.Kubelet.Tests.Volumes;

public sealed class AtomicWriterTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("atomic").FullName;
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Files_are_links_into_the_current_version_with_their_modes()
    {
        Assert.True(Write(("a", "1"), ("dir/b", "2")));
        Assert.Equal(["..data", "a", "dir"], Names().Where(n => !n.StartsWith("..2")));
        Assert.Equal("..data/a", new FileInfo(At("a")).LinkTarget);
        Assert.Equal("2", File.ReadAllText(At("dir/b")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, File.GetUnixFileMode(At("a")));
    }

    [Fact]
    public void Unchanged_content_is_not_written_again()
    {
        Write(("a", "1"));
        var version = new FileInfo(At("..data")).LinkTarget;
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(Write(("a", "1")));
        Assert.Equal(version, new FileInfo(At("..data")).LinkTarget);
    }

    [Fact]
    public void A_change_replaces_all_and_leaves_nothing_of_the_old_version()
    {
        Write(("a", "1"), ("gone/x", "1"), ("kept", "1"));
        Assert.True(Write(("a", "2"), ("kept", "1"), ("new", "1")));
        Assert.Equal(["..data", "a", "kept", "new"], Names().Where(n => !n.StartsWith("..2")));
        Assert.Single(Directory.GetDirectories(_directory, "..2*"));
        Assert.Equal("2", File.ReadAllText(At("a")));
    }

    [Fact]
    public void Removal_of_a_nested_file_alone_is_a_change()
    {
        Write(("d/a", "1"), ("d/b", "1"));
        Assert.True(Write(("d/a", "1")));
        Assert.False(File.Exists(At("d/b")));
    }

    [Fact]
    public void What_a_crash_left_is_cleared()
    {
        Write(("a", "1"));
        Directory.CreateDirectory(At("..2026_01_01_00_00_00.9/sub"));
        File.CreateSymbolicLink(At("..data_tmp"), "..2026_01_01_00_00_00.9");
        Assert.True(Write(("a", "2")));
        Assert.Single(Directory.GetDirectories(_directory, "..2*"));
        Assert.False(Path.Exists(At("..data_tmp")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("..data")]
    [InlineData("..x/y")]
    [InlineData(".")]
    [InlineData("a\0b")]
    public void Hostile_paths_are_refused(string path) => Assert.Throws<PayloadException>(() => Write((path, "1")));

    [Fact]
    public void Long_names_are_refused() => Assert.Throws<PayloadException>(() => Write((new string('x', 256), "1")));

    [Fact]
    public void A_path_cannot_be_file_and_directory() => Assert.Throws<PayloadException>(() => Write(("a", "1"), ("a/b", "2")));

    [Fact]
    public void No_path_leaves_the_directory() => Gen.String[Gen.Char["./ab\0"], 0, 12].Sample(path =>
    {
        try
        {
            var full = Path.GetFullPath(Path.Combine(_directory, PayloadPath.Clean(path)));
            Assert.StartsWith(_directory + "/", full);
            Assert.False(Path.GetRelativePath(_directory, full).StartsWith("..", StringComparison.Ordinal));
        }
        catch (PayloadException)
        {
        }
    });

    /// <summary>A reader that resolves ..data once must find one version whole, whatever the writer does meanwhile.</summary>
    [Fact]
    public async Task A_reader_never_sees_a_torn_state()
    {
        const int versions = 400;
        Write(("a", "0"), ("b", "0"));
        using var done = new CancellationTokenSource();
        var reader = Task.Run(() => ReadUntil(done.Token));
        for (var i = 1; i <= versions; i++)
        {
            var text = i.ToString();
            Write(("a", text), ("b", text));
        }

        await done.CancelAsync();
        Assert.True(await reader > 0, "the reader saw no version");
        Assert.Equal(versions.ToString(), File.ReadAllText(At("b")));
    }

    private int ReadUntil(CancellationToken done)
    {
        var seen = 0;
        while (!done.IsCancellationRequested)
        {
            // Through the visible link: always there, always whole.
            Assert.NotEqual("", File.ReadAllText(At("a")));

            var version = At(new FileInfo(At("..data")).LinkTarget!);
            try
            {
                Assert.Equal(File.ReadAllText(Path.Combine(version, "a")), File.ReadAllText(Path.Combine(version, "b")));
                seen++;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // That version has been replaced and removed; a process that holds the directory open would go on reading it.
            }
        }

        return seen;
    }

    private bool Write(params (string Path, string Text)[] files) => new AtomicWriter(_directory, _time).Write(
        files.ToDictionary(f => f.Path, f => new PayloadFile(Encoding.UTF8.GetBytes(f.Text), 0x120)), _ => { });

    private string At(string name) => Path.Combine(_directory, name);

    private string[] Names() => [.. Directory.GetFileSystemEntries(_directory).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];
}
