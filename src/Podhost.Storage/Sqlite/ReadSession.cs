using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;
using Podhost.Storage.Keys;

namespace Podhost.Storage.Sqlite;

/// <summary>A reader's connection with its prepared statements. Every read runs in one snapshot together with the state row.</summary>
internal sealed class ReadSession : IDisposable
{
    // Blobs sort by their bytes; x'' is before all of them. A null upper bound means none: the prefix is empty.
    private const string InRange = "key >= $from AND ($to IS NULL OR key < $to)";

    private readonly SqliteConnection _connection;
    private readonly Statement _begin;
    private readonly Statement _end;
    private readonly Statement _state;
    private readonly Statement _newest;
    private readonly Statement _at;
    private readonly Statement _rangeNewest;
    private readonly Statement _rangeAt;
    private readonly Statement _countNewest;
    private readonly Statement _countAt;
    private readonly Statement _changes;

    internal ReadSession(SqliteConnection connection)
    {
        _connection = connection;
        _begin = new(connection, "BEGIN");
        _end = new(connection, "COMMIT");
        _state = new(connection, "SELECT revision, compacted FROM state");
        _newest = new(connection, "SELECT v.rev, v.created, v.ver, v.value FROM newest n JOIN versions v ON v.rev = n.rev WHERE n.key = $key", "$key");
        _at = new(
            connection, "SELECT rev, created, ver, value FROM versions WHERE key = $key AND rev <= $at ORDER BY rev DESC LIMIT 1", "$key", "$at");
        _rangeNewest = new(
            connection,
            $"SELECT v.rev, v.created, v.ver, v.value, v.key FROM newest n CROSS JOIN versions v ON v.rev = n.rev WHERE n.{InRange.Replace("OR key", "OR n.key", StringComparison.Ordinal)} ORDER BY n.key LIMIT $most",
            "$from", "$to", "$most");
        const string LivingAt = $"(SELECT key, max(rev) AS rev FROM versions WHERE {InRange} AND rev <= $at GROUP BY key) n CROSS JOIN versions v ON v.rev = n.rev WHERE v.ver > 0";
        _rangeAt = new(
            connection,
            $"SELECT v.rev, v.created, v.ver, v.value, v.key FROM {LivingAt} ORDER BY n.key LIMIT $most",
            "$from", "$to", "$most", "$at");
        _countNewest = new(connection, $"SELECT count(*) FROM newest WHERE {InRange}", "$from", "$to");
        _countAt = new(connection, $"SELECT count(*) FROM {LivingAt}", "$from", "$to", "$at");
        _changes = new(
            connection,
            """
            SELECT c.rev, c.created, c.ver, c.value, c.key, p.rev, p.created, p.ver, p.value
            FROM versions c LEFT JOIN versions p ON p.rev = c.prev
            WHERE c.rev >= $from AND c.rev <= $to ORDER BY c.rev LIMIT $most
            """,
            "$from", "$to", "$most");
    }

    internal StoreEntry? Get(string key, byte[] keyBytes, long revision) => InSnapshot(state =>
    {
        var at = state.Resolve(revision);
        using var reader = revision == 0 ? _newest.Query(keyBytes) : _at.Query(keyBytes, at);
        return reader.Read() && reader.GetInt64(2) > 0 ? Entry(reader, 0, key) : null;
    });

    internal StoreRange Range(RangeRequest request, CancellationToken cancellationToken)
    {
        var prefix = StoreKey.EncodePrefix(request.Prefix);
        var from = request.StartKey is null ? prefix : StoreKey.EncodePrefix(request.StartKey);
        object to = StoreKey.PrefixEnd(prefix) ?? (object)DBNull.Value;
        var most = request.Limit == 0 ? -1L : request.Limit + 1L;
        return InSnapshot(state =>
        {
            var at = state.Resolve(request.Revision);
            var entries = new List<StoreEntry>();
            using (var reader = request.Revision == 0 ? _rangeNewest.Query(from, to, most) : _rangeAt.Query(from, to, most, at))
            {
                while (reader.Read())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    entries.Add(Entry(reader, 0, StoreKey.Decode(reader.GetFieldValue<byte[]>(4))));
                }
            }

            if (request.Limit == 0 || entries.Count <= request.Limit)
            {
                return new StoreRange(at, entries, false, 0);
            }

            entries.RemoveAt(request.Limit);
            var count = request.Revision == 0 ? _countNewest.QueryInteger(from, to) : _countAt.QueryInteger(from, to, at);
            return new StoreRange(at, entries, true, count!.Value - entries.Count);
        });
    }

    /// <summary>At most <paramref name="most"/> changes from a revision on, and up to which revision that is all.</summary>
    internal (List<StoreEvent> Changes, long Last) Changes(string prefix, long from, long to, int most) => InSnapshot(state =>
    {
        if (from <= state.Compacted)
        {
            throw new CompactedException(state.Compacted);
        }

        var changes = new List<StoreEvent>();
        var (last, rows) = (from - 1, 0);
        using var reader = _changes.Query(from, to, (long)most);
        while (reader.Read())
        {
            last = reader.GetInt64(0);
            rows++;
            var key = StoreKey.Decode(reader.GetFieldValue<byte[]>(4));
            if (key.StartsWith(prefix, StringComparison.Ordinal))
            {
                var entry = Entry(reader, 0, key);
                var previous = reader.IsDBNull(5) ? null : Entry(reader, 5, key);
                changes.Add(new StoreEvent(entry.Version == 0 ? StoreEventType.Delete : StoreEventType.Put, entry, previous));
            }
        }

        return (changes, rows < most ? to : last);
    });

    public void Dispose()
    {
        ReadOnlySpan<Statement> all =
            [_begin, _end, _state, _newest, _at, _rangeNewest, _rangeAt, _countNewest, _countAt, _changes];
        foreach (var statement in all)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private static StoreEntry Entry(SqliteDataReader reader, int column, string key) => new(
        key, reader.GetFieldValue<byte[]>(column + 3), reader.GetInt64(column + 1), reader.GetInt64(column), reader.GetInt64(column + 2));

    private T InSnapshot<T>(Func<State, T> read)
    {
        _begin.Execute();
        try
        {
            return read(ReadState());
        }
        finally
        {
            _end.Execute();
        }
    }

    private State ReadState()
    {
        using var reader = _state.Query();
        return reader.Read()
            ? new State(reader.GetInt64(0), reader.GetInt64(1))
            : throw new StoreException($"the store {_connection.DataSource} is damaged: its state row is missing; restore it from a backup");
    }

    private readonly record struct State(long Revision, long Compacted)
    {
        internal long Resolve(long revision) => revision == 0 ? Revision
            : revision > Revision ? throw new FutureRevisionException(revision, Revision)
            : revision < Compacted ? throw new CompactedException(Compacted)
            : revision;
    }
}
