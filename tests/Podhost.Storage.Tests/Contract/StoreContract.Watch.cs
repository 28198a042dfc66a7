using Podhost.Storage.Contract;

namespace Podhost.Storage.Tests.Contract;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_watch_says_at_once_where_it_is()
    {
        var revision = await PutAsync("/a", "1");
        await using var watch = new WatchProbe(Store, "/other/", revision + 1);
        Assert.Empty(await watch.UntilRevisionAsync(revision));
    }

    [Fact]
    public async Task A_watch_without_a_start_begins_with_the_next_change()
    {
        var revision = await PutAsync("/a", "1");
        await using var watch = new WatchProbe(Store, "/", 0);
        await watch.UntilRevisionAsync(revision);
        var next = await PutAsync("/b", "2");
        var events = await watch.UntilRevisionAsync(next);
        Assert.Equal("/b", Assert.Single(events).Entry.Key);
    }

    [Fact]
    public async Task A_watch_from_the_past_and_one_from_now_see_the_same()
    {
        var start = await Store.CurrentRevisionAsync(Ct) + 1;
        await using var live = new WatchProbe(Store, "/w/", start);
        var created = await PutAsync("/w/a", "1");
        await PutAsync("/x/a", "unseen");
        var changed = await PutAsync("/w/a", "2", created);
        var deleted = await DeleteAsync("/w/a", changed);
        var again = await PutAsync("/w/a", "3");

        await using var past = new WatchProbe(Store, "/w/", start);
        await using var middle = new WatchProbe(Store, "/w/", changed);
        foreach (var events in new[] { await live.UntilRevisionAsync(again), await past.UntilRevisionAsync(again) })
        {
            Assert.Equal([created, changed, deleted, again], events.Select(e => e.Entry.ModRevision));
            Assert.Equal([StoreEventType.Put, StoreEventType.Put, StoreEventType.Delete, StoreEventType.Put], events.Select(e => e.Type));
            Assert.Equal(["1", "2", "", "3"], events.Select(e => Text(e.Entry)));
            Assert.Equal([null, "1", "2", null], events.Select(e => e.Previous is null ? null : Text(e.Previous)));
            Assert.Equal((created, 2), (events[1].Entry.CreateRevision, events[1].Entry.Version));
        }

        Assert.Equal([changed, deleted, again], (await middle.UntilRevisionAsync(again)).Select(e => e.Entry.ModRevision));
    }

    [Fact]
    public async Task Watches_joining_during_a_write_storm_miss_nothing_and_see_nothing_twice()
    {
        var start = await Store.CurrentRevisionAsync(Ct) + 1;
        var probes = new List<WatchProbe>();
        var written = new long[6 * 60];
        var writers = Enumerable.Range(0, 6).Select(w => Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++)
            {
                written[(w * 60) + i] = await PutAsync($"/s/{w}-{i}", "v");
            }
        })).ToList();
        for (var i = 0; i < 20; i++)
        {
            probes.Add(new WatchProbe(Store, "/s/", start));
            await Store.RangeAsync(new RangeRequest("/s/", Limit: 1), Ct);
        }

        await Task.WhenAll(writers);
        Array.Sort(written);
        foreach (var probe in probes)
        {
            var events = await probe.UntilRevisionAsync(written[^1]);
            Assert.Equal(written, events.Select(e => e.Entry.ModRevision));
            await probe.DisposeAsync();
        }
    }

    [Fact]
    public async Task Progress_follows_changes_elsewhere()
    {
        await using var watch = new WatchProbe(Store, "/nothing/", 0);
        await watch.UntilRevisionAsync(await Store.CurrentRevisionAsync(Ct));
        await PutAsync("/elsewhere", "1");
        var revision = await Store.CurrentRevisionAsync(Ct);
        Assert.Empty(await watch.UntilRevisionAsync(revision));
    }

    [Fact]
    public async Task Compaction_forgets_the_past_and_keeps_the_present()
    {
        var first = await PutAsync("/a", "1");
        var gone = await PutAsync("/gone", "x");
        var second = await PutAsync("/a", "2", first);
        await DeleteAsync("/gone", gone);
        var third = await PutAsync("/a", "3", second);
        await PutAsync("/b", "b");

        await Store.CompactAsync(third, Ct);
        await Store.CompactAsync(third, Ct);

        var get = await Assert.ThrowsAsync<CompactedException>(async () => await Store.GetAsync("/a", second, Ct));
        Assert.Equal(third, get.CompactRevision);
        await Assert.ThrowsAsync<CompactedException>(async () => await Store.RangeAsync(new RangeRequest("/", Revision: second), Ct));
        Assert.Equal("3", Text(await Store.GetAsync("/a", third, Ct)));
        Assert.Equal("3", Text(await Store.GetAsync("/a", 0, Ct)));
        Assert.Null(await Store.GetAsync("/gone", 0, Ct));
        Assert.Equal(["/a", "/b"], (await Store.RangeAsync(new RangeRequest("/"), Ct)).Entries.Select(e => e.Key));

        await using var late = new WatchProbe(Store, "/", second);
        var e = await Assert.ThrowsAsync<CompactedException>(() => late.Ended.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(third, e.CompactRevision);

        await using var after = new WatchProbe(Store, "/", third + 1);
        var events = await after.UntilCountAsync(1);
        Assert.Equal("/b", events[0].Entry.Key);
    }

    [Fact]
    public async Task A_change_right_after_a_compaction_still_knows_what_was_before()
    {
        // The store's own feed is there before the history goes: one that came after it would rightly be told to list anew.
        await using var live = new WatchProbe(Store, "/", await Store.CurrentRevisionAsync(Ct) + 1);
        var first = await PutAsync("/a", "1");
        await live.UntilRevisionAsync(await PutAsync("/b", "b"));
        await Store.CompactAsync(await Store.CurrentRevisionAsync(Ct), Ct);
        var second = await PutAsync("/a", "2", first);
        await using var watch = new WatchProbe(Store, "/a", second);
        var events = await watch.UntilRevisionAsync(second);
        Assert.Equal("1", Text(Assert.Single(events).Previous));
    }

    [Fact]
    public async Task The_future_cannot_be_compacted()
    {
        var revision = await Store.CurrentRevisionAsync(Ct);
        await Assert.ThrowsAsync<FutureRevisionException>(async () => await Store.CompactAsync(revision + 1000, Ct));
    }

    [Fact]
    public async Task Disposing_ends_watches()
    {
        var watch = new WatchProbe(Store, "/", 0);
        await watch.UntilRevisionAsync(1);
        await Store.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => watch.Ended.WaitAsync(TimeSpan.FromSeconds(10)));
    }
}
