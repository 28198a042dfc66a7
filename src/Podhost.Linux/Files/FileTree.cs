using System.Text;

namespace Podhost.Linux.Files;

/// <summary>Operations on whole trees that a container may have filled: any names, any depth, links to anywhere.</summary>
public static class FileTree
{
    private const int MaxDepth = 256;

    /// <summary>
    /// Deletes a directory with all it contains; an absent one is no error. No link is followed and no recursion is used: a nested
    /// directory is moved up beside its parent first, so depth costs neither stack nor descriptors.
    /// </summary>
    /// <exception cref="FileSystemException">Something cannot be deleted, for example a mount point inside.</exception>
    public static void Delete(string path, CancellationToken cancellationToken)
    {
        DirectoryHandle top;
        try
        {
            top = DirectoryHandle.Open(path);
        }
        catch (FileSystemException e) when (e.Errno == Errno.ENOENT)
        {
            return;
        }

        using (top)
        {
            var moved = 0L;
            for (var names = DirectoryEntries.Read(top); names.Count > 0; names = ReadAgain(path))
            {
                foreach (var name in names)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    DeleteEntry(top, name, ref moved, _ => { });
                }
            }
        }

        Directory.Delete(path);
    }

    /// <summary>
    /// Allocated bytes and inodes below a directory, itself included; hard links count once. Directories nested deeper than 256
    /// levels are not entered.
    /// </summary>
    /// <exception cref="FileSystemException">The directory cannot be read.</exception>
    public static (long Bytes, long Inodes) Measure(string path, CancellationToken cancellationToken)
    {
        using var top = DirectoryHandle.Open(path);
        var sum = (Bytes: top.Status().AllocatedBytes, Inodes: 1L);
        Measure(top, MaxDepth, [], ref sum, cancellationToken);
        return sum;
    }

    /// <summary>Deletes an entry of an open directory, with all it contains where it is a directory.</summary>
    /// <exception cref="FileSystemException">Something cannot be deleted.</exception>
    public static void DeleteEntry(DirectoryHandle directory, ReadOnlySpan<byte> name)
    {
        var moved = 0L;
        var pending = new Queue<byte[]>([name.ToArray()]);
        while (pending.TryDequeue(out var next))
        {
            DeleteEntry(directory, next, ref moved, pending.Enqueue);
        }
    }

    // The handle's read position is at the end: entries that were moved up are seen by a fresh one.
    private static List<byte[]> ReadAgain(string path)
    {
        using var fresh = DirectoryHandle.Open(path);
        return DirectoryEntries.Read(fresh);
    }

    private static void DeleteEntry(DirectoryHandle top, byte[] name, ref long moved, Action<byte[]> movedUp)
    {
        if (top.Unlink(name) || top.RemoveDirectory(name))
        {
            return;
        }

        using (var child = top.OpenEntry(name, out var errno) ?? throw new FileSystemException("open " + PathBytes.Show(name), errno))
        {
            foreach (var inner in DirectoryEntries.Read(child))
            {
                if (!child.Unlink(inner) && !child.RemoveDirectory(inner))
                {
                    var free = FreeName(top, ref moved);
                    child.Rename(inner, top, free);
                    movedUp(free);
                }
            }
        }

        top.RemoveDirectory(name);
    }

    private static byte[] FreeName(DirectoryHandle top, ref long moved)
    {
        while (true)
        {
            var name = Encoding.ASCII.GetBytes($".deleting-{moved++}\0");
            if (top.Status(name) is null)
            {
                return name;
            }
        }
    }

    private static void Measure(
        DirectoryHandle directory,
        int depth,
        HashSet<ulong> linked,
        ref (long Bytes, long Inodes) sum,
        CancellationToken cancellationToken)
    {
        foreach (var name in DirectoryEntries.Read(directory))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (directory.Status(name) is not { } status || (status is { IsDirectory: false, LinkCount: > 1 } && !linked.Add(status.Inode)))
            {
                continue;
            }

            sum = (sum.Bytes + status.AllocatedBytes, sum.Inodes + 1);
            if (status.IsDirectory && depth > 0)
            {
                using var child = directory.OpenEntry(name, out _);
                if (child is not null)
                {
                    Measure(child, depth - 1, linked, ref sum, cancellationToken);
                }
            }
        }
    }
}
