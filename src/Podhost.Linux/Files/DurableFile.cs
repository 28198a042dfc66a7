namespace Podhost.Linux.Files;

/// <summary>Files that survive a crash whole: written beside, synced, renamed, directory synced.</summary>
public static class DurableFile
{
    /// <summary>Replaces a file's content atomically and durably.</summary>
    /// <exception cref="IOException">It cannot be written; the old content stays.</exception>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Guid.NewGuid():n}.new";
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await RandomAccess.WriteAsync(file, content, 0, cancellationToken);
            RandomAccess.FlushToDisk(file);
        }

        Publish(temporary, path);
    }

    /// <summary>Renames a synced file or directory to its place and makes the rename durable.</summary>
    /// <exception cref="IOException">It cannot be renamed.</exception>
    public static void Publish(string temporary, string path)
    {
        if (Directory.Exists(temporary))
        {
            Directory.Move(temporary, path);
        }
        else
        {
            File.Move(temporary, path, overwrite: true);
        }

        using var directory = DirectoryHandle.Open(Path.GetDirectoryName(path)!);
        directory.Sync();
    }
}
