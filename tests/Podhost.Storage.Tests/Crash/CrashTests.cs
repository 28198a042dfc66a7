using System.Diagnostics;
using System.Text;
using Podhost.Storage.Contract;
using Podhost.Storage.Sqlite;
using Podhost.Storage.Tests.Sqlite;

namespace Podhost.Storage.Tests.Crash;

/// <summary>kill -9 in a write storm: what was acknowledged is there, whole, and revisions go on upwards.</summary>
public sealed class CrashTests
{
    private const int Kills = 50;
    private const int Writers = 8;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_acknowledged_write_is_lost_and_none_is_half_done()
    {
        using var directory = new TempDirectory();
        var path = directory.File("store.db");
        var random = new Random(20261124);
        var newest = 1L;
        var acknowledged = 0;
        for (var round = 0; round < Kills; round++)
        {
            var lines = await StormAsync(path, round, linesBeforeKill: random.Next(1, 400));
            acknowledged += lines.Count;
            newest = await CheckAsync(path, round, lines, newest);
        }

        Assert.True(acknowledged > Kills * 20, $"only {acknowledged} writes were acknowledged");
        TestContext.Current.SendDiagnosticMessage($"{acknowledged} acknowledged writes, {Kills} kills");
    }

    /// <summary>Starts the storm, kills it after so many lines, and returns all that it acknowledged until then.</summary>
    private static async Task<List<string>> StormAsync(string path, int round, int linesBeforeKill)
    {
        var storm = Path.Combine(AppContext.BaseDirectory, "Podhost.Storage.Storm.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [storm, "storm", path, $"{round}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync(Ct);
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(Ct) is { } line)
        {
            if (line != "ready")
            {
                lines.Add(line);
            }

            if (lines.Count == linesBeforeKill)
            {
                process.Kill();
            }
        }

        await process.WaitForExitAsync(Ct);
        Assert.True(process.ExitCode == 137, $"the storm ended by itself ({process.ExitCode}): {await errors}");
        return lines;
    }

    private static async Task<long> CheckAsync(string path, int round, List<string> lines, long newestBefore)
    {
        await using var store = SqliteStore.Open(new SqliteStoreOptions { Path = path });
        var revision = await store.CurrentRevisionAsync(Ct);
        var expected = new Dictionary<string, (long Revision, string? Value)>();
        foreach (var line in lines)
        {
            // A line that the kill cut was being reported: it counts only where it is whole.
            var parts = line.Split(' ', 4);
            if (parts is ["put", var key, var at, var value] && IsWhole(key, value))
            {
                Note(expected, key, long.Parse(at), value);
            }
            else if (parts is ["delete", var deleted, var deletedAt])
            {
                Note(expected, deleted, long.Parse(deletedAt), null);
            }
        }

        var ahead = 0;
        foreach (var (key, (at, value)) in expected)
        {
            Assert.InRange(at, newestBefore + 1, revision);
            var entry = await store.GetAsync(key, 0, Ct);
            if (entry?.ModRevision > at || (entry is null && value is not null && revision > at))
            {
                // Done, and killed before it was reported: at most the one write that each writer has under way.
                ahead++;
            }
            else
            {
                Assert.Equal(value, entry is null ? null : Encoding.UTF8.GetString(entry.Value.Span));
                Assert.True(entry is null || entry.ModRevision == at, $"{key}: acknowledged at {at}, found {entry?.ModRevision}");
            }
        }

        Assert.InRange(ahead, 0, Writers);
        Assert.InRange(revision, newestBefore, expected.Values.Select(e => e.Revision).DefaultIfEmpty(newestBefore).Max() + Writers);
        await CheckTableAsync(store, revision);
        return revision;
    }

    /// <summary>All that is there is whole, whoever heard of it, and history is as the newest state says.</summary>
    private static async Task CheckTableAsync(SqliteStore store, long revision)
    {
        var range = await store.RangeAsync(new RangeRequest("/"), Ct);
        Assert.Equal(revision, range.Revision);
        foreach (var entry in range.Entries)
        {
            Assert.InRange(entry.ModRevision, 2, revision);
            Assert.True(IsWhole(entry.Key, Encoding.UTF8.GetString(entry.Value.Span)), $"{entry.Key} is half done");
            Assert.Equal(entry.ModRevision, (await store.GetAsync(entry.Key, revision, Ct))!.ModRevision);
        }
    }

    private static void Note(Dictionary<string, (long Revision, string? Value)> expected, string key, long revision, string? value)
    {
        if (!expected.TryGetValue(key, out var known) || known.Revision < revision)
        {
            expected[key] = (revision, value);
        }
    }

    private static bool IsWhole(string key, string value)
    {
        var parts = value.Split(':');
        return parts.Length == 3 && parts[0] == key && int.TryParse(parts[1], out var i) && parts[2] == new string((char)('a' + (i % 26)), i % 700);
    }
}
