using System.Globalization;
using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>Opens connections and lays out the tables.</summary>
/// <remarks>
/// <c>versions</c> is the history, appended to by revision; a tombstone has ver 0; prev is the revision of the version before, 0 where
/// there was none. <c>newest</c> has one row a living key. <c>expiries</c> has the keys with a time to live. <c>state</c> has one row:
/// the revision (it must survive the removal of the last tombstone), the compaction, and how far its cleaning has come.
/// </remarks>
internal static class SqliteSchema
{
    private const int ApplicationId = 0x50644853;
    private const int Version = 1;

    private const string Tables = """
        CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, compacted INTEGER NOT NULL, cleaned INTEGER NOT NULL);
        CREATE TABLE versions (
            rev INTEGER PRIMARY KEY, key BLOB NOT NULL, created INTEGER NOT NULL, ver INTEGER NOT NULL, prev INTEGER NOT NULL, value BLOB NOT NULL);
        CREATE INDEX versions_by_key ON versions (key, rev);
        CREATE TABLE newest (key BLOB PRIMARY KEY, rev INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE expiries (at INTEGER NOT NULL, rev INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (at, rev)) WITHOUT ROWID;
        INSERT INTO state (id, revision, compacted, cleaned) VALUES (1, 1, 0, 0);
        """;

    /// <summary>The writer's connection: WAL, and a commit returns after fsync.</summary>
    internal static SqliteConnection OpenWriter(string path)
    {
        var connection = Open(path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            Execute(connection, "PRAGMA busy_timeout = 2000");
            var mode = Scalar(connection, "PRAGMA journal_mode = WAL");
            if (!string.Equals(mode, "wal", StringComparison.OrdinalIgnoreCase))
            {
                throw new StoreException($"the store {path} cannot use a write-ahead log on this file system (journal mode {mode})");
            }

            Execute(connection, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384");
            LayOut(connection, path);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A reader's connection; it sees the last commit and never blocks the writer.</summary>
    internal static SqliteConnection OpenReader(string path)
    {
        var connection = Open(path, SqliteOpenMode.ReadWrite);
        Execute(connection, "PRAGMA busy_timeout = 2000; PRAGMA query_only = 1; PRAGMA cache_size = -4096");
        return connection;
    }

    /// <summary>A connection to a store that exists, beside its writer or without one.</summary>
    /// <exception cref="StoreException">It is something else.</exception>
    internal static SqliteConnection OpenCopied(string path)
    {
        var connection = Open(path, SqliteOpenMode.ReadWrite);
        try
        {
            Execute(connection, "PRAGMA busy_timeout = 2000");
            Recognize(connection, path);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    private static void LayOut(SqliteConnection connection, string path)
    {
        if (Scalar(connection, "SELECT count(*) FROM sqlite_schema") == "0")
        {
            Execute(connection, $"BEGIN IMMEDIATE; {Tables} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}; COMMIT;");
        }
        else
        {
            Recognize(connection, path);
        }
    }

    private static void Recognize(SqliteConnection connection, string path)
    {
        var application = long.Parse(Scalar(connection, "PRAGMA application_id"), CultureInfo.InvariantCulture);
        var version = long.Parse(Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (application != ApplicationId)
        {
            throw new StoreException($"{path} is a SQLite database of another application, not a Podhost store");
        }

        if (version != Version)
        {
            throw new StoreException($"the store {path} has layout {version}; this release reads layout {Version} only");
        }
    }

    internal static string Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }
}
