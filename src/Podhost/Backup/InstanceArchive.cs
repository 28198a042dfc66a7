using System.Formats.Tar;
using Podhost.Configuration;
using Podhost.Hosting;
using Podhost.Linux.Files;
using Podhost.Storage.Contract;
using Podhost.Storage.Sqlite;

namespace Podhost.Backup;

/// <summary>
/// What makes an instance again, as a tar archive: <c>store.db</c>, all objects of one moment, and the files of <c>pki/</c>. Images, containers and the
/// node's own notes are no part of it: they are made again, or found where they run.
/// </summary>
internal static class InstanceArchive
{
    private const string StoreEntry = "store.db";
    private const string KeysPrefix = "pki/";
    private const int MostKeys = 100;
    private const long LargestKey = 1 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerDirectory = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>Writes the archive; its file is there when it is whole and on the disk, and readable by its owner only.</summary>
    /// <exception cref="ConfigurationException">The store is none that is kept in a file here, or a file cannot be read or written.</exception>
    public static void Write(PodhostOptions options, string archive)
    {
        var store = StoreOf(options);
        if (File.Exists(archive))
        {
            throw new ConfigurationException($"{archive} exists already");
        }

        var copy = $"{archive}.{Guid.NewGuid():n}.store";
        var temporary = $"{archive}.{Guid.NewGuid():n}.new";
        Translate(() =>
        {
            try
            {
                SqliteBackup.Copy(store, copy);
                WriteEntries(options, temporary, copy);
                DurableFile.Publish(temporary, archive);
            }
            finally
            {
                File.Delete(copy);
                File.Delete(temporary);
            }
        });
    }

    /// <summary>Takes keys and objects from an archive. The store comes last, so that what was interrupted can be said again.</summary>
    /// <exception cref="ConfigurationException">The instance has a store, or the archive is none.</exception>
    public static void Read(PodhostOptions options, string archive)
    {
        var store = StoreOf(options);
        if (File.Exists(store))
        {
            throw new ConfigurationException($"{store} exists: its objects would be lost. Move {Path.GetDirectoryName(store)} away, or podhost reset");
        }

        Translate(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(store)!, OwnerDirectory);
            var work = Path.Combine(options.DataDir, "restore");
            DirectoryRemoval.Delete(work); // of one that was interrupted
            Directory.CreateDirectory(work, OwnerDirectory);
            try
            {
                var copy = Extract(archive, work);
                SqliteBackup.Advance(copy);
                PublishKeys(Path.Combine(work, KeysPrefix), Path.Combine(options.DataDir, KeysPrefix));
                DurableFile.Publish(copy, store);
            }
            finally
            {
                Directory.Delete(work, recursive: true);
            }
        });
    }

    private static string StoreOf(PodhostOptions options) => options.StoreSpec.Split(':', 2) switch
    {
        ["sqlite", var path] => Path.GetFullPath(path),
        ["etcd", ..] => throw new ConfigurationException("--store: the objects are in etcd: save them with etcdctl snapshot save, and the directory pki"),
        _ => throw new ConfigurationException($"--store: the objects of {options.StoreSpec} are not kept anywhere"),
    };

    private static void WriteEntries(PodhostOptions options, string path, string copy)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        using (var tar = new TarWriter(file, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(copy, StoreEntry);
            foreach (var key in Directory.EnumerateFiles(Path.Combine(options.DataDir, KeysPrefix)).Where(IsKept).Order(StringComparer.Ordinal))
            {
                tar.WriteEntry(key, KeysPrefix + Path.GetFileName(key));
            }
        }

        file.Flush(flushToDisk: true);
    }

    // A file that is being written has another name.
    private static bool IsKept(string key) => Path.GetExtension(key) is not ".tmp";

    // Everything from outside is hostile, an archive that someone calls a backup too: only these names, only files, only so large.
    private static string Extract(string archive, string work)
    {
        string? store = null;
        var keys = 0;
        Directory.CreateDirectory(Path.Combine(work, KeysPrefix), OwnerDirectory);
        using var file = File.OpenRead(archive);
        using var tar = new TarReader(file);
        while (tar.GetNextEntry() is { } entry)
        {
            var isFile = entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile;
            if (isFile && entry.Name == StoreEntry && store is null)
            {
                store = Path.Combine(work, StoreEntry);
                Save(entry, store, OwnerOnly);
            }
            else if (isFile && KeyOf(entry.Name) is { } key && entry.Length <= LargestKey && keys++ < MostKeys)
            {
                Save(entry, Path.Combine(work, KeysPrefix, key), key.EndsWith(".key", StringComparison.Ordinal) ? OwnerOnly : OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }
            else
            {
                throw new ConfigurationException($"{archive} is no archive of podhost backup: it has an entry {entry.Name}");
            }
        }

        return store ?? throw new ConfigurationException($"{archive} is no archive of podhost backup: it has no {StoreEntry}");
    }

    private static string? KeyOf(string name) =>
        name.StartsWith(KeysPrefix, StringComparison.Ordinal) && name[KeysPrefix.Length..] is var key && key is not ("" or "." or "..") && !key.Contains('/', StringComparison.Ordinal) ? key : null;

    private static void Save(TarEntry entry, string path, UnixFileMode mode)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode });
        entry.DataStream?.CopyTo(file);
        file.Flush(flushToDisk: true);
    }

    private static void PublishKeys(string from, string to)
    {
        Directory.CreateDirectory(to, OwnerDirectory);
        foreach (var key in Directory.EnumerateFiles(from))
        {
            DurableFile.Publish(key, Path.Combine(to, Path.GetFileName(key)));
        }
    }

    private static void Translate(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ConfigurationException(e.Message);
        }
    }
}
