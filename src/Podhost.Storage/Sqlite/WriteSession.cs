using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;
using Podhost.Storage.Keys;

namespace Podhost.Storage.Sqlite;

/// <summary>The writer's connection with its prepared statements and the counters of the transaction under way. Used by the writer thread only.</summary>
internal sealed class WriteSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _newest;
    private readonly Statement _insert;
    private readonly Statement _setNewest;
    private readonly Statement _removeNewest;
    private readonly Statement _setRevision;
    private readonly Statement _setCompacted;
    private readonly Statement _insertExpiry;
    private readonly Statement _removeExpiry;
    private readonly Statement _dueExpiries;
    private readonly Statement _nextExpiry;
    private readonly Statement _cleanSuperseded;
    private readonly Statement _cleanTombstones;
    private readonly Statement _setCleaned;

    private (long Revision, long Compacted, long Cleaned) _committed;
    private bool _open;

    internal WriteSession(SqliteConnection connection)
    {
        _connection = connection;
        _begin = new(connection, "BEGIN IMMEDIATE");
        _commit = new(connection, "COMMIT");
        _newest = new(connection, "SELECT v.rev, v.created, v.ver, v.value FROM newest n JOIN versions v ON v.rev = n.rev WHERE n.key = $key", "$key");
        _insert = new(
            connection,
            "INSERT INTO versions (rev, key, created, ver, prev, value) VALUES ($rev, $key, $created, $ver, $prev, $value)",
            "$rev", "$key", "$created", "$ver", "$prev", "$value");
        _setNewest = new(connection, "INSERT INTO newest (key, rev) VALUES ($key, $rev) ON CONFLICT (key) DO UPDATE SET rev = excluded.rev", "$key", "$rev");
        _removeNewest = new(connection, "DELETE FROM newest WHERE key = $key", "$key");
        _setRevision = new(connection, "UPDATE state SET revision = $rev", "$rev");
        _setCompacted = new(connection, "UPDATE state SET compacted = $rev", "$rev");
        _insertExpiry = new(connection, "INSERT INTO expiries (at, rev, key) VALUES ($at, $rev, $key)", "$at", "$rev", "$key");
        _removeExpiry = new(connection, "DELETE FROM expiries WHERE at = $at AND rev = $rev", "$at", "$rev");
        _dueExpiries = new(connection, "SELECT at, rev, key FROM expiries WHERE at <= $now ORDER BY at, rev LIMIT $most", "$now", "$most");
        _nextExpiry = new(connection, "SELECT at FROM expiries ORDER BY at LIMIT 1");
        _cleanSuperseded = new(
            connection, "DELETE FROM versions WHERE rev IN (SELECT prev FROM versions WHERE rev > $from AND rev <= $to AND prev > 0)", "$from", "$to");
        _cleanTombstones = new(connection, "DELETE FROM versions WHERE rev > $from AND rev <= $to AND ver = 0", "$from", "$to");
        _setCleaned = new(connection, "UPDATE state SET cleaned = $rev", "$rev");
        _committed = ReadState();
        (Revision, Compacted, Cleaned) = _committed;
    }

    /// <summary>The newest revision, with those of the transaction under way.</summary>
    internal long Revision { get; private set; }

    internal long Compacted { get; private set; }

    /// <summary>The compaction's rows are gone up to this revision.</summary>
    internal long Cleaned { get; private set; }

    /// <summary>The changes of the transaction under way.</summary>
    internal List<StoreEvent> Events { get; private set; } = [];

    internal void Begin()
    {
        Events = [];
        _begin.Execute();
        _open = true;
    }

    internal void Commit()
    {
        if (Revision != _committed.Revision)
        {
            _setRevision.Execute(Revision);
        }

        _commit.Execute();
        _open = false;
        _committed = (Revision, Compacted, Cleaned);
    }

    /// <summary>Undoes the transaction under way. SQLite has done so itself after some failures.</summary>
    internal void Rollback()
    {
        (Revision, Compacted, Cleaned) = _committed;
        Events = [];
        if (_open && SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) == 0)
        {
            SqliteSchema.Execute(_connection, "ROLLBACK");
        }

        _open = false;
    }

    internal StoreEntry? Newest(string key, byte[] keyBytes)
    {
        using var reader = _newest.Query(keyBytes);
        return reader.Read()
            ? new StoreEntry(key, reader.GetFieldValue<byte[]>(3), reader.GetInt64(1), reader.GetInt64(0), reader.GetInt64(2))
            : null;
    }

    internal long Put(string key, byte[] keyBytes, byte[] value, StoreEntry? current)
    {
        var revision = ++Revision;
        var entry = new StoreEntry(key, value, current?.CreateRevision ?? revision, revision, (current?.Version ?? 0) + 1);
        _insert.Execute(revision, keyBytes, entry.CreateRevision, entry.Version, current?.ModRevision ?? 0L, value);
        _setNewest.Execute(keyBytes, revision);
        Events.Add(new StoreEvent(StoreEventType.Put, entry, current));
        return revision;
    }

    internal long Delete(byte[] keyBytes, StoreEntry current)
    {
        var revision = ++Revision;
        _insert.Execute(revision, keyBytes, 0L, 0L, current.ModRevision, Array.Empty<byte>());
        _removeNewest.Execute(keyBytes);
        Events.Add(new StoreEvent(StoreEventType.Delete, new StoreEntry(current.Key, ReadOnlyMemory<byte>.Empty, 0, revision, 0), current));
        return revision;
    }

    internal void Expire(byte[] keyBytes, long revision, DateTimeOffset at) => _insertExpiry.Execute(at.ToUnixTimeMilliseconds(), revision, keyBytes);

    internal int DeleteExpired(DateTimeOffset now, int most)
    {
        var due = new List<(long At, long Revision, byte[] Key)>();
        using (var reader = _dueExpiries.Query(now.ToUnixTimeMilliseconds(), (long)most))
        {
            while (reader.Read())
            {
                due.Add((reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<byte[]>(2)));
            }
        }

        foreach (var (at, revision, keyBytes) in due)
        {
            _removeExpiry.Execute(at, revision);

            // A newer version of the key has a time to live of its own, or none.
            if (Newest(StoreKey.Decode(keyBytes), keyBytes) is { } current && current.ModRevision == revision)
            {
                Delete(keyBytes, current);
            }
        }

        return due.Count;
    }

    internal DateTimeOffset? NextExpiry() => _nextExpiry.QueryInteger() is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    internal bool Compact(long revision)
    {
        if (revision <= Compacted)
        {
            return false;
        }

        Compacted = revision;
        _setCompacted.Execute(revision);
        return true;
    }

    /// <summary>
    /// Removes what up to <paramref name="most"/> further revisions have made superfluous: the versions before them and their own
    /// tombstones. Following prev makes the cost one of the changes, not of the living keys.
    /// </summary>
    internal void Clean(int most)
    {
        var to = Math.Min(Compacted, Cleaned + most);
        _cleanSuperseded.Execute(Cleaned, to);
        _cleanTombstones.Execute(Cleaned, to);
        _setCleaned.Execute(to);
        Cleaned = to;
    }

    public void Dispose()
    {
        ReadOnlySpan<Statement> all =
        [
            _begin, _commit, _newest, _insert, _setNewest, _removeNewest, _setRevision, _setCompacted, _insertExpiry, _removeExpiry,
            _dueExpiries, _nextExpiry, _cleanSuperseded, _cleanTombstones, _setCleaned,
        ];
        foreach (var statement in all)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private (long Revision, long Compacted, long Cleaned) ReadState()
    {
        using var select = new Statement(_connection, "SELECT revision, compacted, cleaned FROM state");
        using var reader = select.Query();
        return reader.Read()
            ? (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2))
            : throw new StoreException($"the store {_connection.DataSource} is damaged: its state row is missing; restore it from a backup");
    }
}
