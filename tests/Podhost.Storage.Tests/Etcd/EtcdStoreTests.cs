using Podhost.Storage.Contract;
using Podhost.Storage.Tests.Contract;

namespace Podhost.Storage.Tests.Etcd;

public sealed class EtcdStoreTests(EtcdFixture etcd) : StoreContract, IClassFixture<EtcdFixture>
{
    private static int _prefixes;

    protected override int ModelIterations => 20;

    protected override async Task<IStore> OpenAsync()
    {
        Assert.SkipWhen(EtcdFixture.Binary is null, "etcd is not installed (Debian: etcd-server)");
        return await OpenAsync($"/test-{Interlocked.Increment(ref _prefixes)}");
    }

    // etcd's leases run on its own clock: the test waits for the event.
    protected override Task PassTimeAsync(TimeSpan time) => Task.CompletedTask;

    private async Task<IStore> OpenAsync(string prefix) => await StoreFactory.OpenAsync($"etcd:{etcd.Endpoint}?prefix={prefix}", null, Ct);

    [Fact]
    public async Task Two_processes_see_each_other_and_nothing_of_a_neighbour()
    {
        await using var one = await OpenAsync("/shared");
        await using var two = await OpenAsync("/shared");
        await using var neighbour = await OpenAsync("/shared2");
        var put = await one.PutAsync(new PutRequest("/a", Bytes("1"), 0), Ct);
        await neighbour.PutAsync(new PutRequest("/b", Bytes("1"), 0), Ct);
        await using var watch = new WatchProbe(two, "", put.Revision);
        Assert.Equal("/a", Assert.Single(await watch.UntilRevisionAsync(put.Revision)).Entry.Key);
        Assert.Equal(["/a"], (await two.RangeAsync(new RangeRequest(""), Ct)).Entries.Select(e => e.Key));

        // The neighbour's change moved etcd's revision: a watcher must reach it although it gets no event.
        await watch.UntilRevisionAsync(await two.CurrentRevisionAsync(Ct));
    }

    [Fact]
    public async Task A_watch_survives_a_restart_of_etcd()
    {
        await using var watch = new WatchProbe(Store, "/r/", await Store.CurrentRevisionAsync(Ct) + 1);
        var before = await PutAsync("/r/before", "1");
        await watch.UntilRevisionAsync(before);
        etcd.Stop();
        var refused = await Assert.ThrowsAsync<StoreException>(async () => await Store.PutAsync(new PutRequest("/r/x", Bytes("1"), 0), Ct));
        Assert.Contains("cannot be reached", refused.Message);
        await etcd.StartAsync();
        await UntilReachedAsync();
        var after = await PutAsync("/r/after", "2");
        var events = await watch.UntilRevisionAsync(after);
        Assert.Equal(["/r/before", "/r/after"], events.Select(e => e.Entry.Key));
    }

    private async Task UntilReachedAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
        {
            try
            {
                await Store.CurrentRevisionAsync(deadline.Token);
                return;
            }
            catch (StoreException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
            }
        }
    }

    [Fact]
    public async Task Without_etcd_opening_fails_by_name()
    {
        var e = await Assert.ThrowsAsync<StoreException>(async () => await StoreFactory.OpenAsync("etcd:http://127.0.0.1:1", null, Ct));
        Assert.Contains("http://127.0.0.1:1/ cannot be reached", e.Message);
    }
}
