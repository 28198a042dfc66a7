using Podhost.Storage.Contract;
using Podhost.Storage.Etcd;
using Podhost.Storage.Memory;
using Podhost.Storage.Sqlite;
using Podhost.Storage.Tests.Sqlite;

namespace Podhost.Storage.Tests;

public sealed class StoreFactoryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_opens_what_the_text_names()
    {
        using var directory = new TempDirectory();
        await using var memory = await StoreFactory.OpenAsync("memory:", null, Ct);
        await using var sqlite = await StoreFactory.OpenAsync($"sqlite:{directory.File("s.db")}", null, Ct);
        Assert.IsType<MemoryStore>(memory);
        Assert.IsType<SqliteStore>(sqlite);
    }

    [Theory]
    [InlineData("redis:x")]
    [InlineData("sqlite:")]
    [InlineData("sqlite")]
    [InlineData("memory:x")]
    [InlineData("etcd:localhost")]
    [InlineData("etcd:http://h:1?color=red")]
    [InlineData("etcd:http://h:1?prefix=/")]
    [InlineData("etcd:https://h:1?cert=a")]
    public async Task It_refuses_what_names_nothing(string text) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await StoreFactory.OpenAsync(text, null, Ct));

    [Fact]
    public void Etcd_options_are_read_from_the_url()
    {
        var options = EtcdStoreOptions.Parse("https://h:2379?prefix=/a/b/&cacert=/x%20y&cert=c&key=k");
        Assert.Equal((new Uri("https://h:2379"), "/a/b", "/x y", "c", "k"), (options.Endpoint, options.Prefix, options.CaFile, options.CertFile, options.KeyFile));
        Assert.Equal("/podhost", EtcdStoreOptions.Parse("http://h:1").Prefix);
    }

    [Theory]
    [InlineData("3.4.23", false)]
    [InlineData("3.4.25", true)]
    [InlineData("3.5.7", false)]
    [InlineData("3.5.8", true)]
    [InlineData("3.6.0-rc.1", true)]
    [InlineData("strange", false)]
    public void Old_servers_are_not_asked_for_progress(string version, bool ordered) => Assert.Equal(ordered, EtcdVersion.HasOrderedProgress(version));
}
