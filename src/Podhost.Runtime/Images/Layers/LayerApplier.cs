using Podhost.Linux.Files;

namespace Podhost.Runtime.Images.Layers;

/// <summary>What a layer became on disk.</summary>
/// <param name="DiffId">The digest of its uncompressed tar.</param>
/// <param name="Bytes">Bytes of its regular files.</param>
/// <param name="Entries">Its entries.</param>
internal readonly record struct AppliedLayer(string DiffId, long Bytes, long Entries);

/// <summary>
/// Unpacks one layer into an empty directory, as overlayfs wants it: whiteouts become 0/0 devices, opaque markers become
/// trusted.overlay.opaque (image-spec, layer.md; kernel overlayfs.rst). Paths are resolved inside the directory by the kernel, final
/// components are never followed, so nothing outside can be reached.
/// </summary>
internal sealed class LayerApplier : IDisposable
{
    private static readonly byte[] WhiteoutPrefix = ".wh."u8.ToArray();
    private static readonly byte[] OpaqueMarker = ".wh..wh..opq\0"u8.ToArray();

    private readonly DirectoryHandle _root;
    private readonly LowerLayers _lower;
    private readonly LayerLimits _limits;
    private readonly EntryWriter _writer = new();
    private readonly Dictionary<string, DirectoryTime> _directoryTimes = [];
    private DirectoryHandle? _parent;
    private byte[] _parentPath = [];

    public LayerApplier(string directory, LowerLayers lower, LayerLimits limits)
    {
        _root = DirectoryHandle.Open(directory);
        _lower = lower;
        _limits = limits;
    }

    private readonly record struct DirectoryTime(EntryPath Path, long Seconds, int Nanoseconds);

    /// <summary>Unpacks the layer. On failure the directory holds a part of it: the caller deletes it.</summary>
    public AppliedLayer Apply(LayerStream layer, CancellationToken cancellationToken)
    {
        AdoptRoot();
        var reader = new TarStreamReader(layer);
        long bytes = 0, entries = 0;
        while (reader.ReadNext() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (++entries > _limits.MaxEntries)
            {
                throw new ImageException(ImageError.TooLarge, $"layer has more than {_limits.MaxEntries} entries");
            }

            bytes += Counted(entry, bytes);
            Apply(entry, reader, cancellationToken);
        }

        SetDirectoryTimes();
        return new AppliedLayer(layer.Finish(cancellationToken), bytes, entries);
    }

    // The stream's own bound counts what is in it; holes are not.
    private long Counted(TarEntry entry, long before) => entry.Size <= _limits.MaxBytes - before
        ? entry.Size
        : throw new ImageException(ImageError.TooLarge, $"layer has files of more than {_limits.MaxBytes} bytes");

    public void Dispose()
    {
        _parent?.Dispose();
        _root.Dispose();
    }

    private void Apply(TarEntry entry, TarStreamReader reader, CancellationToken cancellationToken)
    {
        var path = EntryPath.Parse(entry.Name);
        try
        {
            if (path.IsRoot)
            {
                ApplyRoot(entry);
            }
            else if (path.Name.AsSpan().StartsWith(WhiteoutPrefix))
            {
                ApplyWhiteout(path);
            }
            else
            {
                Create(entry, path, reader, cancellationToken);
            }
        }
        catch (FileSystemException e)
        {
            var kind = e.Errno == Errno.ENOSPC ? ImageError.Unavailable : ImageError.Invalid;
            throw new ImageException(kind, $"layer entry \"{PathBytes.Show(entry.Name)}\": {e.Message}", e);
        }
    }

    // The root of the layer is the merged root of an overlay: without an entry of its own it looks as the one below.
    private void AdoptRoot()
    {
        var status = _lower.FindDirectory(".\0"u8);
        _root.SetOwner(".\0"u8, status?.Uid ?? 0, status?.Gid ?? 0);
        _root.SetPermissions(".\0"u8, status?.Permissions ?? 0x1ED);
    }

    private void ApplyRoot(TarEntry entry)
    {
        if (entry.Kind != TarEntryKind.Directory)
        {
            throw new ImageException(ImageError.Invalid, "layer entry for the root is no directory");
        }

        EntryWriter.SetMetadata(_root, ".\0"u8, entry);
        _directoryTimes["."] = new DirectoryTime(EntryPath.Parse("."u8), entry.MtimeSeconds, entry.MtimeNanoseconds);
    }

    private void ApplyWhiteout(EntryPath path)
    {
        if (path.Name.AsSpan().SequenceEqual(OpaqueMarker))
        {
            OpenParent(path.Parent).SetExtendedAttribute("trusted.overlay.opaque\0"u8, "y"u8);
            return;
        }

        // Bookkeeping of aufs, which means nothing here.
        if (path.Name.AsSpan().StartsWith(".wh..wh."u8))
        {
            return;
        }

        var name = path.Name[WhiteoutPrefix.Length..];
        if (name is [0] or [(byte)'.', 0] or [(byte)'.', (byte)'.', 0])
        {
            throw new ImageException(ImageError.Invalid, "layer has a whiteout without a name");
        }

        var parent = OpenParent(path.Parent);
        switch (parent.Status(name))
        {
            case null:
                parent.CreateNode(name, EntryWriter.CharacterDeviceType, 0, 0);
                break;

            // The layer brings the directory anew: only what is below it goes.
            case { IsDirectory: true }:
                parent.SetExtendedAttribute(name, "trusted.overlay.opaque\0"u8, "y"u8);
                break;
        }
    }

    private void Create(TarEntry entry, EntryPath path, TarStreamReader reader, CancellationToken cancellationToken)
    {
        var parent = OpenParent(path.Parent);
        var existing = parent.Status(path.Name);
        var isDirectory = entry.Kind == TarEntryKind.Directory;
        if (existing is not null && !(isDirectory && existing.Value.IsDirectory))
        {
            Replace(parent, path);
            parent = OpenParent(path.Parent);
        }

        if (entry.Kind == TarEntryKind.HardLink)
        {
            CreateHardLink(entry, parent, path);
            return;
        }

        if (!isDirectory)
        {
            _writer.Create(parent, path.Name, entry, reader, cancellationToken);
            return;
        }

        if (existing is not { IsDirectory: true })
        {
            parent.CreateDirectory(path.Name);
        }

        EntryWriter.SetMetadata(parent, path.Name, entry);
        if (existing is { IsWhiteout: true })
        {
            parent.SetExtendedAttribute(path.Name, "trusted.overlay.opaque\0"u8, "y"u8);
        }

        _directoryTimes[Key(path)] = new DirectoryTime(path, entry.MtimeSeconds, entry.MtimeNanoseconds);
    }

    private void CreateHardLink(TarEntry entry, DirectoryHandle parent, EntryPath path)
    {
        var target = EntryPath.Parse(entry.LinkName);
        using var targetParent = _root.OpenInRoot(target.Parent, out var errno)
            ?? throw new FileSystemException("hard link to " + PathBytes.Show(entry.LinkName), errno);
        parent.CreateHardLink(path.Name, targetParent, target.Name);
    }

    // The last entry of a name wins. A directory that gives way to a file goes with all that the layer put into it.
    private void Replace(DirectoryHandle parent, EntryPath path)
    {
        if (parent.Unlink(path.Name))
        {
            return;
        }

        FileTree.DeleteEntry(parent, path.Name);
        ForgetParent();
        var prefix = Key(path);
        foreach (var key in _directoryTimes.Keys.Where(key => key == prefix || key.StartsWith(prefix + "/", StringComparison.Ordinal)).ToList())
        {
            _directoryTimes.Remove(key);
        }
    }

    // Entries come grouped by directory: the last parent is kept open.
    private DirectoryHandle OpenParent(byte[] path)
    {
        if (_parent is not null && _parentPath.AsSpan().SequenceEqual(path))
        {
            return _parent;
        }

        ForgetParent();
        var opened = _root.OpenInRoot(path, out var errno);
        if (opened is null)
        {
            opened = errno is Errno.ENOENT or Errno.ENOTDIR ? CreateParents(path) : throw new FileSystemException("open " + PathBytes.Show(path), errno);
        }

        (_parent, _parentPath) = (opened, path);
        return opened;
    }

    private void ForgetParent()
    {
        _parent?.Dispose();
        _parent = null;
        _parentPath = [];
    }

    private DirectoryHandle CreateParents(byte[] path)
    {
        for (var end = 0; end < path.Length; end++)
        {
            if (path[end] is (byte)'/' or 0)
            {
                EnsureDirectory(EntryPath.Parse(path.AsSpan(0, end)), [.. path.AsSpan(0, end), 0]);
            }
        }

        return _root.OpenInRoot(path, out var errno) ?? throw new FileSystemException("open " + PathBytes.Show(path), errno);
    }

    private void EnsureDirectory(EntryPath path, byte[] whole)
    {
        using var parent = _root.OpenInRoot(path.Parent, out var errno)
            ?? throw new FileSystemException("open " + PathBytes.Show(path.Parent), errno);
        if (parent.Status(path.Name) is { } existing)
        {
            // A whiteout of an entry that the layer brings back further down.
            if (!existing.IsWhiteout)
            {
                return;
            }

            parent.Unlink(path.Name);
            parent.CreateDirectory(path.Name);
            parent.SetPermissions(path.Name, 0x1ED);
            parent.SetExtendedAttribute(path.Name, "trusted.overlay.opaque\0"u8, "y"u8);
            return;
        }

        var lower = _lower.FindDirectory(whole);
        parent.CreateDirectory(path.Name);
        parent.SetOwner(path.Name, lower?.Uid ?? 0, lower?.Gid ?? 0);
        parent.SetPermissions(path.Name, lower?.Permissions ?? 0x1ED);
        if (lower is { } status)
        {
            _directoryTimes[Key(path)] = new DirectoryTime(path, status.MtimeSeconds, status.MtimeNanoseconds);
        }
    }

    // At the end: creating entries changes their directory's time.
    private void SetDirectoryTimes()
    {
        ForgetParent();
        foreach (var time in _directoryTimes.Values)
        {
            using var parent = _root.OpenInRoot(time.Path.Parent, out _);
            if (parent?.Status(time.Path.Name) is { IsDirectory: true })
            {
                parent.SetTimes(time.Path.Name, time.Seconds, time.Nanoseconds);
            }
        }
    }

    // Latin-1 keeps any bytes apart.
    private static string Key(EntryPath path)
    {
        var name = System.Text.Encoding.Latin1.GetString(path.Name.AsSpan(0, path.Name.Length - 1));
        return path.Parent is [(byte)'.', 0]
            ? name
            : System.Text.Encoding.Latin1.GetString(path.Parent.AsSpan(0, path.Parent.Length - 1)) + "/" + name;
    }
}
