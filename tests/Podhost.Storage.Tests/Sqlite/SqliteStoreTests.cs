using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Podhost.Storage.Contract;
using Podhost.Storage.Sqlite;
using Podhost.Storage.Tests.Contract;

namespace Podhost.Storage.Tests.Sqlite;

public sealed class SqliteStoreTests : StoreContract
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TempDirectory _directory = new();
    private int _count;

    private string NewPath => _directory.File($"store{Interlocked.Increment(ref _count)}.db");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(Open(NewPath));

    protected override Task PassTimeAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    private SqliteStore Open(string path) => SqliteStore.Open(new SqliteStoreOptions { Path = path, CompactionSlice = 3, WatchBufferEvents = 64 }, _time);

    [Fact]
    public async Task Everything_survives_a_reopening()
    {
        var path = NewPath;
        long first, second;
        await using (var store = Open(path))
        {
            Assert.Equal(1, await store.CurrentRevisionAsync(Ct));
            first = (await store.PutAsync(new PutRequest("/a", Bytes("1"), 0), Ct)).Revision;
            second = (await store.PutAsync(new PutRequest("/gone", Bytes("1"), 0), Ct)).Revision;
            second = (await store.DeleteAsync("/gone", second, Ct)).Revision;
            await store.CompactAsync(second, Ct);
        }

        await using (var store = Open(path))
        {
            // The last change was a delete, and its tombstone is compacted away: the revision must not go back.
            Assert.Equal(second, await store.CurrentRevisionAsync(Ct));
            Assert.Equal(first, (await store.GetAsync("/a", 0, Ct))!.ModRevision);
            await Assert.ThrowsAsync<CompactedException>(async () => await store.GetAsync("/a", first, Ct));
            Assert.Equal(second + 1, (await store.PutAsync(new PutRequest("/b", Bytes("1"), 0), Ct)).Revision);
        }
    }

    [Fact]
    public async Task A_copy_made_while_writing_goes_on_becomes_a_store_whose_revisions_are_all_new()
    {
        var (path, copy) = (NewPath, NewPath);
        long saved, lost;
        await using (var store = Open(path))
        {
            saved = (await store.PutAsync(new PutRequest("/kept", Bytes("1"), 0), Ct)).Revision;
            SqliteBackup.Copy(path, copy);
            lost = (await store.PutAsync(new PutRequest("/lost", Bytes("1"), 0), Ct)).Revision;
        }

        SqliteBackup.Advance(copy);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copy));
        await using (var store = Open(copy))
        {
            Assert.Equal(saved, (await store.GetAsync("/kept", 0, Ct))!.ModRevision);
            Assert.Null(await store.GetAsync("/lost", 0, Ct));
            Assert.True(await store.CurrentRevisionAsync(Ct) > lost);
            await Assert.ThrowsAsync<CompactedException>(async () => await store.GetAsync("/kept", lost, Ct));
            Assert.True((await store.PutAsync(new PutRequest("/kept", Bytes("2"), saved), Ct)).Revision > lost);
        }
    }

    [Fact]
    public void What_is_no_store_is_neither_copied_nor_restored()
    {
        var (path, text) = (NewPath, NewPath);
        Assert.Contains("there is no store", Assert.Throws<StoreException>(() => SqliteBackup.Copy(path, NewPath)).Message, StringComparison.Ordinal);
        File.WriteAllText(text, "not a database, but long enough to be looked at as one");
        Assert.Throws<StoreException>(() => SqliteBackup.Advance(text));
        using (var other = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            other.Open();
            using var command = other.CreateCommand();
            command.CommandText = "CREATE TABLE t (a)";
            command.ExecuteNonQuery();
        }

        Assert.Contains("another application", Assert.Throws<StoreException>(() => SqliteBackup.Advance(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_to_live_that_ended_while_the_store_was_closed_is_kept()
    {
        var path = NewPath;
        await using (var store = Open(path))
        {
            await store.PutAsync(new PutRequest("/ttl", Bytes("1"), 0, TimeSpan.FromMinutes(1)), Ct);
        }

        _time.Advance(TimeSpan.FromHours(1));
        await using (var store = Open(path))
        {
            await using var watch = new WatchProbe(store, "/ttl", 3);
            Assert.Equal(StoreEventType.Delete, (await watch.UntilCountAsync(1))[0].Type);
        }
    }

    [Fact]
    public async Task Compaction_removes_the_rows_slice_by_slice_and_only_those()
    {
        var path = NewPath;
        await using (var store = Open(path))
        {
            for (var round = 0; round < 10; round++)
            {
                for (var key = 0; key < 5; key++)
                {
                    var current = await store.GetAsync($"/{key}", 0, Ct);
                    await store.PutAsync(new PutRequest($"/{key}", Bytes($"{round}"), current?.ModRevision ?? 0), Ct);
                }

                if (round % 3 == 1)
                {
                    await store.CompactAsync(await store.CurrentRevisionAsync(Ct), Ct);
                }
            }

            var last = await store.GetAsync("/0", 0, Ct);
            var deleted = await store.DeleteAsync("/0", last!.ModRevision, Ct);
            await store.CompactAsync(deleted.Revision, Ct);
        }

        // Closing lets the writer finish what waits; cleaning that is left goes on at the next start.
        await using (var store = Open(path))
        {
            while (Count(path, "SELECT compacted - cleaned FROM state") > 0)
            {
                await store.PutAsync(new PutRequest("/tick", Bytes(""), (await store.GetAsync("/tick", 0, Ct))?.ModRevision ?? 0), Ct);
            }
        }

        Assert.Equal(4, Count(path, "SELECT count(*) FROM versions WHERE key <> CAST('/tick' AS BLOB)"));
        Assert.Equal(4, Count(path, "SELECT count(*) FROM newest WHERE key <> CAST('/tick' AS BLOB)"));
    }

    [Fact]
    public async Task A_slow_watcher_falls_back_to_the_table_and_misses_nothing()
    {
        using var gate = new SemaphoreSlim(0);
        await using var slow = new WatchProbe(Store, "/", 0, gate);
        var revisions = new List<long>();
        await Task.Yield();
        for (var i = 0; i < 500; i++)
        {
            revisions.Add((await Store.PutAsync(new PutRequest($"/{i}", Bytes("v"), 0), Ct)).Revision);
        }

        gate.Release();
        var events = await slow.UntilRevisionAsync(revisions[^1]);
        Assert.Equal(revisions, events.Select(e => e.Entry.ModRevision));
    }

    [Fact]
    public async Task A_watcher_that_fell_behind_the_compaction_is_told()
    {
        using var gate = new SemaphoreSlim(0);
        await using var slow = new WatchProbe(Store, "/", 0, gate);
        for (var i = 0; i < 200; i++)
        {
            await PutAsync($"/{i}", "v");
        }

        await Store.CompactAsync(await Store.CurrentRevisionAsync(Ct), Ct);
        gate.Release();
        await Assert.ThrowsAsync<CompactedException>(() => slow.Ended.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_second_process_is_refused_by_name()
    {
        var path = NewPath;
        await using var store = Open(path);
        var e = Assert.Throws<StoreException>(() => Open(path));
        Assert.Contains("in use by another process", e.Message);
        Assert.Contains(path, e.Message);
    }

    [Fact]
    public async Task A_damaged_file_is_refused_by_name()
    {
        var path = NewPath;
        await File.WriteAllTextAsync(path, new string('x', 8192), Ct);
        var e = Assert.Throws<StoreException>(() => Open(path));
        Assert.Contains("damaged or is no SQLite database", e.Message);
    }

    [Fact]
    public void A_foreign_database_is_refused_by_name()
    {
        var path = NewPath;
        using (var connection = new SqliteConnection($"Data Source={path};Pooling=false"))
        {
            connection.Open();
            SqliteSchema.Execute(connection, "CREATE TABLE theirs (x)");
        }

        Assert.Contains("another application", Assert.Throws<StoreException>(() => Open(path)).Message);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_told()
    {
        File.WriteAllText(_directory.File("file"), "");
        Assert.ThrowsAny<Exception>(() => Open(_directory.File("file/below/store.db")));
    }

    [Fact]
    public async Task New_directories_are_made_private_and_synced()
    {
        var synced = new List<string>();
        var options = new SqliteStoreOptions { Path = _directory.File("x/y/store.db"), SyncDirectory = synced.Add };
        await using var store = SqliteStore.Open(options, _time);
        Assert.Equal([_directory.Path, _directory.File("x")], synced);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(options.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(options.Path + "-wal"));
    }

    [Fact]
    public async Task Writes_accepted_before_closing_are_written()
    {
        var path = NewPath;
        var store = Open(path);
        var writes = Enumerable.Range(0, 300).Select(i => store.PutAsync(new PutRequest($"/{i}", Bytes("v"), 0), Ct).AsTask()).ToList();
        await store.DisposeAsync();
        var acknowledged = 0;
        foreach (var write in writes)
        {
            acknowledged += (await write).Succeeded ? 1 : 0;
        }

        Assert.Equal(300, acknowledged);
        await using var again = Open(path);
        Assert.Equal(300, (await again.RangeAsync(new RangeRequest("/"), Ct)).Entries.Count);
    }

    [Fact]
    public async Task A_closed_store_refuses()
    {
        await Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Store.PutAsync(new PutRequest("/a", Bytes("1"), 0), Ct));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Store.GetAsync("/a", 0, Ct));
    }

    private static long Count(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
