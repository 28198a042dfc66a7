using System.Diagnostics;
using System.Globalization;
using System.Text;
using Podhost.Storage.Contract;
using Podhost.Storage.Sqlite;

// storm PATH ROUND: writes, changes and deletes from 8 writers until it is killed; one line on standard output for each acknowledged write:
//   put KEY REVISION VALUE | delete KEY REVISION
// bench PATH SECONDS WRITERS: durable creates of 1 KiB; prints writes a second.
switch (args)
{
    case ["storm", var path, var round]:
        await Storm.RunAsync(path, round);
        return 0;
    case ["bench", var path, var seconds, var writers]:
        await Bench.RunAsync(path, int.Parse(seconds, CultureInfo.InvariantCulture), int.Parse(writers, CultureInfo.InvariantCulture));
        return 0;
    default:
        Console.Error.WriteLine("usage: storm PATH ROUND | bench PATH SECONDS WRITERS");
        return 2;
}

/// <summary>The write storm.</summary>
internal static class Storm
{
    private static readonly Lock Output = new();

    internal static async Task RunAsync(string path, string round)
    {
        await using var store = SqliteStore.Open(new SqliteStoreOptions { Path = path, CompactionSlice = 32 });
        using var output = Console.OpenStandardOutput();
        Report(output, "ready");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(w => Task.Run(() => WriteAsync(store, output, round, w))));
    }

    private static async Task WriteAsync(SqliteStore store, Stream output, string round, int writer)
    {
        for (var i = 0; ; i++)
        {
            var key = $"/{round}/{writer}/{i % 20}";
            var current = await store.GetAsync(key, 0, CancellationToken.None);
            if (current is not null && i % 3 == 0)
            {
                var deleted = await store.DeleteAsync(key, current.ModRevision, CancellationToken.None);
                Report(output, $"delete {key} {deleted.Revision}");
                continue;
            }

            // The value says what it must be: half a value would not match its own length and key.
            var value = $"{key}:{i}:{new string((char)('a' + (i % 26)), i % 700)}";
            var put = await store.PutAsync(new PutRequest(key, Encoding.UTF8.GetBytes(value), current?.ModRevision ?? 0), CancellationToken.None);
            Report(output, $"put {key} {put.Revision} {value}");
            if (writer == 0 && i % 50 == 49)
            {
                await store.CompactAsync(put.Revision, CancellationToken.None);
            }
        }
    }

    private static void Report(Stream output, string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        lock (Output)
        {
            output.Write(bytes);
            output.Flush();
        }
    }
}

/// <summary>Durable creates a second.</summary>
internal static class Bench
{
    internal static async Task RunAsync(string path, int seconds, int writers)
    {
        await using var store = SqliteStore.Open(new SqliteStoreOptions { Path = path });
        var value = new byte[1024];
        Array.Fill(value, (byte)'x');
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var counts = new long[writers];
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await store.PutAsync(new PutRequest($"/registry/configmaps/ns/{w}-{counts[w]}", value, 0), CancellationToken.None);
                counts[w]++;
            }
        })));
        var perSecond = counts.Sum() / clock.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{writers} writers: {perSecond:F0} durable 1 KiB creates/s"));
    }
}
