using System.Formats.Tar;
using System.Text;
using Podhost.Backup;
using Podhost.Configuration;
using Podhost.Storage.Contract;
using Podhost.Storage.Sqlite;

namespace Podhost.Tests;

public sealed class InstanceArchiveTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("podhost-archive").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Archive => Path.Combine(_root, "a.tar");

    private PodhostOptions Options(string name) => new() { DataDir = Path.Combine(_root, name) };

    [Fact]
    public async Task An_instance_is_made_again_from_its_archive()
    {
        var (from, to) = (Options("from"), Options("to"));
        Directory.CreateDirectory(Path.Combine(from.DataDir, "pki"));
        await File.WriteAllTextAsync(Path.Combine(from.DataDir, "pki", "ca.key"), "secret", TestContext.Current.CancellationToken);
        await using (var store = SqliteStore.Open(new SqliteStoreOptions { Path = StoreOf(from) }))
        {
            await store.PutAsync(new PutRequest("/a", "1"u8.ToArray(), 0), TestContext.Current.CancellationToken);
            InstanceArchive.Write(from, Archive);
        }

        InstanceArchive.Read(to, Archive);

        await using var restored = SqliteStore.Open(new SqliteStoreOptions { Path = StoreOf(to) });
        Assert.NotNull(await restored.GetAsync("/a", 0, TestContext.Current.CancellationToken));
        Assert.Equal(Owner, File.GetUnixFileMode(Archive));
        Assert.Equal(Owner, File.GetUnixFileMode(Path.Combine(to.DataDir, "pki", "ca.key")));
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(to.DataDir, "pki", "ca.key"), TestContext.Current.CancellationToken));
        Assert.Equal(["pki", "store"], Names(to.DataDir));
        Assert.Equal(["a.tar", "from", "to"], Names(_root));
        Assert.Contains("exists already", Refused(() => InstanceArchive.Write(from, Archive)), StringComparison.Ordinal);
        Assert.Contains("exists: its objects would be lost", Refused(() => InstanceArchive.Read(to, Archive)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("etcd:http://127.0.0.1:2379", "etcdctl snapshot save")]
    [InlineData("memory:", "not kept anywhere")]
    [InlineData("sqlite:/nowhere/state.db", "there is no store /nowhere/state.db")]
    public void A_store_that_is_not_a_file_is_told_how_else(string store, string message) =>
        Assert.Contains(message, Refused(() => InstanceArchive.Write(Options("x") with { Store = store }, Archive)), StringComparison.Ordinal);

    [Theory]
    [InlineData("../evil")]
    [InlineData("pki/../../evil")]
    [InlineData("pki/..")]
    [InlineData("pki/a/b")]
    [InlineData("/etc/evil")]
    [InlineData("other")]
    public void An_archive_with_other_names_is_refused_and_leaves_nothing(string name)
    {
        Make(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream("x"u8.ToArray()) });
        Assert.Contains("is no archive of podhost backup", Refused(() => InstanceArchive.Read(Options("to"), Archive)), StringComparison.Ordinal);
        Assert.Equal(["a.tar", "to"], Names(_root));
        Assert.Equal(["store"], Names(Path.Combine(_root, "to")));
    }

    [Fact]
    public void Links_damaged_stores_and_other_files_are_refused()
    {
        Make(new PaxTarEntry(TarEntryType.SymbolicLink, "pki/ca.key") { LinkName = "/etc/passwd" });
        Assert.Contains("is no archive", Refused(() => InstanceArchive.Read(Options("to"), Archive)), StringComparison.Ordinal);
        Make(new PaxTarEntry(TarEntryType.RegularFile, "store.db") { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(new string('x', 5000))) });
        Refused(() => InstanceArchive.Read(Options("to"), Archive));
        File.WriteAllText(Archive, "neither tar nor anything");
        Refused(() => InstanceArchive.Read(Options("to"), Archive));
        File.Delete(Archive);
        Assert.Contains("a.tar", Refused(() => InstanceArchive.Read(Options("to"), Archive)), StringComparison.Ordinal);
        Assert.Empty(Names(Path.Combine(_root, "to", "store")));
    }

    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static string StoreOf(PodhostOptions options) => Path.Combine(options.DataDir, "store", "state.db");

    private static string Refused(Action action) => Assert.Throws<ConfigurationException>(action).Message;

    private static string[] Names(string directory) => [.. Directory.EnumerateFileSystemEntries(directory).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal)];

    private void Make(TarEntry entry)
    {
        using var file = File.Create(Archive);
        using var tar = new TarWriter(file, TarEntryFormat.Pax);
        tar.WriteEntry(entry);
    }
}
