using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>The directory, the lock and the mode of the database's files.</summary>
internal static class SqliteFiles
{
    internal static void MakeDirectory(SqliteStoreOptions options)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("the store needs Unix file modes");
        }

        var missing = new Stack<string>();
        var directory = Path.GetDirectoryName(options.Path)!;
        for (var d = directory; d is not null && !Directory.Exists(d); d = Path.GetDirectoryName(d))
        {
            missing.Push(d);
        }

        foreach (var d in missing)
        {
            Directory.CreateDirectory(d, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            options.SyncDirectory?.Invoke(Path.GetDirectoryName(d)!);
        }
    }

    /// <summary>Two processes on one store would both be right and together wrong (revisions, watches): the second is refused.</summary>
    internal static FileStream TakeLock(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("the store needs Unix file modes");
        }

        try
        {
            return new FileStream(path + ".lock", new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StoreException($"the store {path} cannot be opened: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new StoreException($"the store {path} is in use by another process; stop it, or give this instance its own --data-dir ({e.Message})", e);
        }
    }

    /// <summary>Makes a new database readable by its owner only, before SQLite opens it: it will hold Secrets. The log inherits the mode.</summary>
    internal static void MakePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("the store needs Unix file modes");
        }

        if (!File.Exists(path))
        {
            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
    }
}
