using CsCheck;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Tests.Contract;

public abstract partial class StoreContract
{
    /// <summary>Random histories are tried this often.</summary>
    protected virtual int ModelIterations => 100;

    private enum Op
    {
        Create,
        Update,
        StaleUpdate,
        Delete,
        StaleDelete,
        Get,
        GetPast,
        Range,
        RangePast,
        Compact,
    }

    private static readonly Gen<(Op Op, int Key, int Number)[]> Histories =
        Gen.Select(Gen.Enum<Op>(), Gen.Int[0, 5], Gen.Int[0, 1000]).Array[1, 60];

    [Fact]
    public async Task Any_history_agrees_with_the_model() =>
        await Histories.SampleAsync(
            async history =>
            {
                await using var store = await OpenAsync();
                await new ModelRun(store).RunAsync(history);
            },
            iter: ModelIterations,
            threads: 1);

    /// <summary>The contract as a pure model: the state after each write, kept whole.</summary>
    private sealed class ModelRun(IStore store)
    {
        private readonly SortedDictionary<long, SortedDictionary<string, StoreEntry>> _states = [];
        private readonly List<(long Revision, string Key, bool IsPut)> _changes = [];
        private long _compacted;
        private long _start;

        private SortedDictionary<string, StoreEntry> Now => _states.Last().Value;

        internal async Task RunAsync((Op Op, int Key, int Number)[] history)
        {
            _start = await store.CurrentRevisionAsync(Ct);
            _states[_start] = new(StringComparer.Ordinal);
            await using var live = new WatchProbe(store, "/m/", _start + 1);
            foreach (var (op, key, number) in history)
            {
                await StepAsync(op, $"/m/{key}", number);
            }

            await CheckWatchAsync(live, _start + 1);
            if (_compacted < _states.Last().Key)
            {
                var from = Math.Max(_start, _compacted) + 1;
                await using var past = new WatchProbe(store, "/m/", from);
                await CheckWatchAsync(past, from);
            }
        }

        private async Task CheckWatchAsync(WatchProbe watch, long from)
        {
            var events = await watch.UntilRevisionAsync(_changes.Count == 0 ? _start : _changes[^1].Revision);
            Assert.Equal(
                _changes.Where(c => c.Revision >= from),
                events.Select(e => (e.Entry.ModRevision, e.Entry.Key, e.Type == StoreEventType.Put)));
        }

        private Task StepAsync(Op op, string key, int number)
        {
            var current = Now.GetValueOrDefault(key);
            return op switch
            {
                Op.Create => PutAsync(key, number, 0),
                Op.Update => PutAsync(key, number, current?.ModRevision ?? 0),
                Op.StaleUpdate => PutAsync(key, number, (current?.ModRevision ?? 1) + 1 - (number % 3)),
                Op.Delete => DeleteAsync(key, current?.ModRevision ?? 1),
                Op.StaleDelete => DeleteAsync(key, (current?.ModRevision ?? 1) - 1),
                Op.Get => CheckGetAsync(key, 0, Now),
                Op.GetPast => InThePast(number, (revision, state) => CheckGetAsync(key, revision, state)),
                Op.Range => CheckRangeAsync(key, number % 4, 0, Now),
                Op.RangePast => InThePast(number, (revision, state) => CheckRangeAsync(key, number % 4, revision, state)),
                _ => CompactAsync(number),
            };
        }

        private async Task PutAsync(string key, int number, long expected)
        {
            var current = Now.GetValueOrDefault(key);
            var result = await store.PutAsync(new PutRequest(key, Bytes(number.ToString()), expected), Ct);
            Assert.Equal((current?.ModRevision ?? 0) == expected, result.Succeeded);
            if (!result.Succeeded)
            {
                AssertSame(current, result.Current);
                return;
            }

            var entry = new StoreEntry(
                key, Bytes(number.ToString()), current?.CreateRevision ?? result.Revision, result.Revision, (current?.Version ?? 0) + 1);
            Record(result.Revision, key, entry);
        }

        private async Task DeleteAsync(string key, long expected)
        {
            var current = Now.GetValueOrDefault(key);
            var result = await store.DeleteAsync(key, expected, Ct);
            Assert.Equal(current is not null && current.ModRevision == expected, result.Succeeded);
            AssertSame(current, result.Current);
            if (result.Succeeded)
            {
                Record(result.Revision, key, null);
            }
        }

        private void Record(long revision, string key, StoreEntry? entry)
        {
            Assert.True(revision > _states.Last().Key, "revisions grow");
            var next = new SortedDictionary<string, StoreEntry>(Now, StringComparer.Ordinal);
            if (entry is null)
            {
                next.Remove(key);
            }
            else
            {
                next[key] = entry;
            }

            _states[revision] = next;
            _changes.Add((revision, key, entry is not null));
        }

        private async Task CheckGetAsync(string key, long revision, SortedDictionary<string, StoreEntry> state) =>
            AssertSame(state.GetValueOrDefault(key), await store.GetAsync(key, revision, Ct));

        private async Task CheckRangeAsync(string start, int limit, long revision, SortedDictionary<string, StoreEntry> state)
        {
            var range = await store.RangeAsync(new RangeRequest("/m/", start, limit, revision), Ct);
            var all = state.Values.Where(e => string.CompareOrdinal(e.Key, start) >= 0).ToList();
            var expected = limit == 0 ? all : [.. all.Take(limit)];
            Assert.Equal(expected.Count, range.Entries.Count);
            for (var i = 0; i < expected.Count; i++)
            {
                AssertSame(expected[i], range.Entries[i]);
            }

            Assert.Equal(all.Count - expected.Count, range.RemainingCount);
            Assert.Equal(all.Count > expected.Count, range.More);
        }

        private async Task InThePast(int number, Func<long, SortedDictionary<string, StoreEntry>, Task> check)
        {
            var (revision, state) = _states.ElementAt(number % _states.Count);
            if (revision >= _compacted)
            {
                await check(revision, state);
            }
            else
            {
                await Assert.ThrowsAsync<CompactedException>(() => check(revision, state));
            }
        }

        private async Task CompactAsync(int number)
        {
            var revision = _states.ElementAt(number % _states.Count).Key;
            await store.CompactAsync(revision, Ct);
            _compacted = Math.Max(_compacted, revision);
        }

        private static void AssertSame(StoreEntry? expected, StoreEntry? actual)
        {
            Assert.Equal(expected is null, actual is null);
            if (expected is not null)
            {
                Assert.Equal(
                    (expected.Key, Text(expected), expected.CreateRevision, expected.ModRevision, expected.Version),
                    (actual!.Key, Text(actual), actual.CreateRevision, actual.ModRevision, actual.Version));
            }
        }
    }
}
