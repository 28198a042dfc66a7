using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>Copies of a SQLite store: made while it is written to, and made a store again.</summary>
public static class SqliteBackup
{
    /// <summary>
    /// By how much the revision of a restored store goes forward: further than anything that was written after the copy, so that no client takes
    /// an old revision for a new one. The same as etcd's <c>--bump-revision</c> suggests.
    /// </summary>
    public const long RevisionStep = 1_000_000_000;

    /// <summary>Copies a store, of one moment, whether a process serves it or not.</summary>
    /// <param name="path">The store.</param>
    /// <param name="copy">The file to make; there must be none.</param>
    /// <exception cref="StoreException">There is no store, or the copy cannot be written.</exception>
    public static void Copy(string path, string copy)
    {
        if (!File.Exists(path))
        {
            throw new StoreException($"there is no store {path}");
        }

        try
        {
            SqliteFiles.MakePrivate(copy); // SQLite writes into an empty file, and that is readable by its owner only.
            using var connection = SqliteSchema.OpenCopied(path);
            using var command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $copy";
            command.Parameters.AddWithValue("$copy", copy);
            command.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.Translate(e, path);
        }
    }

    /// <summary>
    /// Makes a copy fit to be a store: its revision goes forward by <see cref="RevisionStep"/> and everything before counts as compacted, so a client
    /// that resumes a watch of before lists anew instead of missing that the state went back. etcd calls it <c>--mark-compacted</c>.
    /// </summary>
    /// <param name="copy">The copy.</param>
    /// <exception cref="StoreException">It is damaged, or no store.</exception>
    public static void Advance(string copy)
    {
        try
        {
            using var connection = SqliteSchema.OpenCopied(copy);
            var check = SqliteSchema.Scalar(connection, "PRAGMA quick_check(1)");
            if (check != "ok")
            {
                throw new StoreException($"the copy {copy} is damaged: {check}");
            }

            SqliteSchema.Execute(connection, $"PRAGMA synchronous = FULL; UPDATE state SET revision = revision + {RevisionStep}; UPDATE state SET compacted = revision;");
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.Translate(e, copy);
        }
    }
}
