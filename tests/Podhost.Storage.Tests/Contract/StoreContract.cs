using System.Text;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Tests.Contract;

/// <summary>What every store promises. Revisions are compared relatively: a store may use some for itself.</summary>
public abstract partial class StoreContract : IAsyncLifetime
{
    protected IStore Store { get; private set; } = null!;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract Task<IStore> OpenAsync();

    /// <summary>Lets the time to live of keys pass.</summary>
    protected abstract Task PassTimeAsync(TimeSpan time);

    protected static byte[] Bytes(string s) => Encoding.UTF8.GetBytes(s);

    protected static string Text(StoreEntry? entry) => Encoding.UTF8.GetString(entry!.Value.Span);

    protected async Task<long> PutAsync(string key, string value, long expected = 0)
    {
        var result = await Store.PutAsync(new PutRequest(key, Bytes(value), expected), Ct);
        Assert.True(result.Succeeded, $"put {key} expected {expected}, is {result.Current?.ModRevision}");
        return result.Revision;
    }

    protected async Task<long> DeleteAsync(string key, long expected)
    {
        var result = await Store.DeleteAsync(key, expected, Ct);
        Assert.True(result.Succeeded);
        return result.Revision;
    }

    [Fact]
    public async Task A_put_counts_the_revision_up_and_is_read_back()
    {
        var before = await Store.CurrentRevisionAsync(Ct);
        var first = await PutAsync("/a", "1");
        var second = await PutAsync("/a", "2", first);

        Assert.True(before >= 1);
        Assert.True(first > before && second > first);
        var entry = await Store.GetAsync("/a", 0, Ct);
        Assert.Equal("2", Text(entry));
        Assert.Equal((first, second, 2), (entry!.CreateRevision, entry.ModRevision, entry.Version));
        Assert.Null(await Store.GetAsync("/b", 0, Ct));
    }

    [Fact]
    public async Task Values_are_any_bytes()
    {
        byte[] value = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await Store.PutAsync(new PutRequest("/bin", value, 0), Ct);
        await Store.PutAsync(new PutRequest("/empty", ReadOnlyMemory<byte>.Empty, 0), Ct);
        Assert.Equal(value, (await Store.GetAsync("/bin", 0, Ct))!.Value.ToArray());
        Assert.Equal(0, (await Store.GetAsync("/empty", 0, Ct))!.Value.Length);
    }

    [Fact]
    public async Task A_stored_value_does_not_follow_the_callers_buffer()
    {
        var buffer = Bytes("before");
        await Store.PutAsync(new PutRequest("/a", buffer, 0), Ct);
        buffer[0] = (byte)'X';
        Assert.Equal("before", Text(await Store.GetAsync("/a", 0, Ct)));
    }

    [Fact]
    public async Task A_create_of_an_existing_key_fails_with_what_is_there()
    {
        var revision = await PutAsync("/a", "1");
        var result = await Store.PutAsync(new PutRequest("/a", Bytes("2"), 0), Ct);
        Assert.False(result.Succeeded);
        Assert.Equal("1", Text(result.Current));
        Assert.Equal(revision, result.Current!.ModRevision);
        Assert.True(result.Revision >= revision);
        Assert.Equal("1", Text(await Store.GetAsync("/a", 0, Ct)));
    }

    [Fact]
    public async Task An_update_from_a_stale_revision_fails_with_what_is_there()
    {
        var first = await PutAsync("/a", "1");
        var second = await PutAsync("/a", "2", first);
        var result = await Store.PutAsync(new PutRequest("/a", Bytes("3"), first), Ct);
        Assert.False(result.Succeeded);
        Assert.Equal(second, result.Current!.ModRevision);
        Assert.Equal("2", Text(result.Current));
    }

    [Fact]
    public async Task An_update_of_a_missing_key_fails_with_nothing()
    {
        var result = await Store.PutAsync(new PutRequest("/a", Bytes("3"), 1), Ct);
        Assert.False(result.Succeeded);
        Assert.Null(result.Current);
    }

    [Fact]
    public async Task A_delete_needs_the_newest_revision_and_returns_what_it_deleted()
    {
        var first = await PutAsync("/a", "1");
        var second = await PutAsync("/a", "2", first);

        var stale = await Store.DeleteAsync("/a", first, Ct);
        Assert.False(stale.Succeeded);
        Assert.Equal(second, stale.Current!.ModRevision);

        var deleted = await Store.DeleteAsync("/a", second, Ct);
        Assert.True(deleted.Succeeded);
        Assert.True(deleted.Revision > second);
        Assert.Equal("2", Text(deleted.Current));
        Assert.Null(await Store.GetAsync("/a", 0, Ct));

        var again = await Store.DeleteAsync("/a", second, Ct);
        Assert.False(again.Succeeded);
        Assert.Null(again.Current);
    }

    [Fact]
    public async Task A_key_made_again_is_a_new_incarnation()
    {
        var first = await PutAsync("/a", "1");
        await DeleteAsync("/a", first);
        var second = await PutAsync("/a", "2");
        var entry = await Store.GetAsync("/a", 0, Ct);
        Assert.Equal((second, second, 1), (entry!.CreateRevision, entry.ModRevision, entry.Version));
    }

    [Fact]
    public async Task The_past_can_be_read()
    {
        var created = await PutAsync("/a", "1");
        var changed = await PutAsync("/a", "2", created);
        var deleted = await DeleteAsync("/a", changed);

        Assert.Equal("1", Text(await Store.GetAsync("/a", created, Ct)));
        Assert.Equal("2", Text(await Store.GetAsync("/a", changed, Ct)));
        Assert.Null(await Store.GetAsync("/a", deleted, Ct));
        var range = await Store.RangeAsync(new RangeRequest("/", Revision: created), Ct);
        Assert.Equal(created, range.Revision);
        Assert.Equal("1", Text(Assert.Single(range.Entries)));
    }

    [Fact]
    public async Task The_future_cannot_be_read()
    {
        var revision = await Store.CurrentRevisionAsync(Ct);
        var e = await Assert.ThrowsAsync<FutureRevisionException>(async () => await Store.GetAsync("/a", revision + 1000, Ct));
        Assert.Equal(revision + 1000, e.Requested);
        Assert.True(e.Current >= revision);
        await Assert.ThrowsAsync<FutureRevisionException>(async () => await Store.RangeAsync(new RangeRequest("/", Revision: revision + 1000), Ct));
    }

    [Fact]
    public async Task A_range_has_the_prefix_only_in_byte_order()
    {
        string[] keys = ["/p/b", "/p/a", "/p/\uFFFD", "/p/\U0001F600", "/p/a/x", "/q", "/o", "/p", "/p0", "/p/é"];
        foreach (var key in keys)
        {
            await PutAsync(key, key);
        }

        var range = await Store.RangeAsync(new RangeRequest("/p/"), Ct);
        Assert.Equal(["/p/a", "/p/a/x", "/p/b", "/p/é", "/p/\uFFFD", "/p/\U0001F600"], range.Entries.Select(e => e.Key));
        Assert.All(range.Entries, e => Assert.Equal(e.Key, Text(e)));
        Assert.False(range.More);
        Assert.Equal(0, range.RemainingCount);
        Assert.Equal(keys.Length, (await Store.RangeAsync(new RangeRequest(""), Ct)).Entries.Count);
    }

    [Fact]
    public async Task A_limited_range_continues_at_its_revision_as_if_nothing_had_changed()
    {
        for (var i = 0; i < 25; i++)
        {
            await PutAsync($"/k/{i:D3}", "v");
        }

        var first = await Store.RangeAsync(new RangeRequest("/k/", Limit: 10), Ct);
        Assert.Equal(10, first.Entries.Count);
        Assert.True(first.More);
        Assert.Equal(15, first.RemainingCount);

        await PutAsync("/k/010a", "new");
        var gone = await Store.GetAsync("/k/020", 0, Ct);
        await DeleteAsync("/k/020", gone!.ModRevision);

        var keys = first.Entries.Select(e => e.Key).ToList();
        var page = first;
        while (page.More)
        {
            page = await Store.RangeAsync(new RangeRequest("/k/", page.Entries[^1].Key + "\0", 10, first.Revision), Ct);
            Assert.Equal(first.Revision, page.Revision);
            keys.AddRange(page.Entries.Select(e => e.Key));
        }

        Assert.Equal(0, page.RemainingCount);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"/k/{i:D3}"), keys);
    }

    [Fact]
    public async Task A_large_range_comes_whole()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 1300), Ct, async (i, _) => await PutAsync($"/many/{i:D5}", new string('x', 100)));
        var range = await Store.RangeAsync(new RangeRequest("/many/"), Ct);
        Assert.Equal(Enumerable.Range(0, 1300).Select(i => $"/many/{i:D5}"), range.Entries.Select(e => e.Key));
        Assert.False(range.More);
    }

    [Fact]
    public async Task Compare_and_swap_counts_exactly_under_contention()
    {
        await PutAsync("/counter", "0");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 25;)
            {
                var entry = await Store.GetAsync("/counter", 0, Ct);
                var next = int.Parse(Text(entry)) + 1;
                var result = await Store.PutAsync(new PutRequest("/counter", Bytes(next.ToString()), entry!.ModRevision), Ct);
                done += result.Succeeded ? 1 : 0;
            }
        })));

        var final = await Store.GetAsync("/counter", 0, Ct);
        Assert.Equal("200", Text(final));
        Assert.Equal(201, final!.Version);
    }

    [Fact]
    public async Task Bad_keys_are_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.PutAsync(new PutRequest("", Bytes("x"), 0), Ct));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.PutAsync(new PutRequest("\0x", Bytes("x"), 0), Ct));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.PutAsync(new PutRequest("\uD800", Bytes("x"), 0), Ct));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.GetAsync(new string('k', 5000), 0, Ct));
    }

    [Fact]
    public async Task A_key_with_a_time_to_live_goes_by_itself()
    {
        var ttl = TimeSpan.FromSeconds(2);
        var put = await Store.PutAsync(new PutRequest("/ttl/short", Bytes("x"), 0, ttl), Ct);
        await Store.PutAsync(new PutRequest("/ttl/long", Bytes("x"), 0, TimeSpan.FromHours(1)), Ct);
        var renewed = await Store.PutAsync(new PutRequest("/ttl/kept", Bytes("x"), 0, ttl), Ct);
        await PutAsync("/ttl/kept", "y", renewed.Revision);
        Assert.NotNull(await Store.GetAsync("/ttl/short", 0, Ct));

        await using var watch = new WatchProbe(Store, "/ttl/short", put.Revision);
        await watch.UntilCountAsync(1);
        await PassTimeAsync(ttl + TimeSpan.FromMilliseconds(1));
        var events = await watch.UntilCountAsync(2);

        Assert.Equal(StoreEventType.Delete, events[1].Type);
        Assert.Equal("x", Text(events[1].Previous));
        Assert.Null(await Store.GetAsync("/ttl/short", 0, Ct));
        Assert.NotNull(await Store.GetAsync("/ttl/long", 0, Ct));
        Assert.Equal("y", Text(await Store.GetAsync("/ttl/kept", 0, Ct)));
    }
}
