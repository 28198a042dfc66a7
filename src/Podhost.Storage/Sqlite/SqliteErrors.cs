using Microsoft.Data.Sqlite;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>SQLite's failures in the operator's words.</summary>
internal static class SqliteErrors
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int IoError = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int NotADatabase = 26;

    internal static StoreException Translate(SqliteException e, string path) => new(
        e.SqliteErrorCode switch
        {
            Busy or Locked => $"the store {path} is locked by another process; stop it, or give this instance its own --data-dir",
            ReadOnly => $"the store {path} is read-only; check the permissions and the mount of its directory",
            IoError => $"the store {path} cannot be read or written (disk failure?): {e.Message}",
            Corrupt or NotADatabase => $"the store {path} is damaged or is no SQLite database: {e.Message}; restore it from a backup",
            Full => $"the disk of the store {path} is full; the write was rolled back",
            CannotOpen => $"the store {path} cannot be opened; check that its directory exists and is writable",
            _ => $"the store {path} failed: {e.Message}",
        },
        e);

    /// <summary>
    /// After these the file's state is not known (a failed fsync may have thrown dirty pages away): the store takes no further writes
    /// until the process was restarted and SQLite has recovered it.
    /// </summary>
    internal static bool IsFatal(SqliteException e) => e.SqliteErrorCode is IoError or Corrupt or NotADatabase;
}
