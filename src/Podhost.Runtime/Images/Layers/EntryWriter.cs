using System.Text;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Files;

namespace Podhost.Runtime.Images.Layers;

/// <summary>Creates one file, link or device in an open directory with all its metadata.</summary>
internal sealed class EntryWriter
{
    public const int CharacterDeviceType = 0x2000;
    private const int FifoType = 0x1000;
    private const int BlockDeviceType = 0x6000;

    private readonly byte[] _buffer = new byte[256 * 1024];

    /// <summary>Creates an entry that is neither directory nor hard link; the name is free.</summary>
    public void Create(DirectoryHandle parent, byte[] name, TarEntry entry, TarStreamReader reader, CancellationToken cancellationToken)
    {
        switch (entry.Kind)
        {
            case TarEntryKind.RegularFile:
                CreateFile(parent, name, entry, reader, cancellationToken);
                return;
            case TarEntryKind.SymbolicLink:
                parent.CreateSymbolicLink(name, PathBytes.From(entry.LinkName));
                break;
            case TarEntryKind.CharacterDevice:
                parent.CreateNode(name, CharacterDeviceType, entry.DeviceMajor, entry.DeviceMinor);
                break;
            case TarEntryKind.BlockDevice:
                parent.CreateNode(name, BlockDeviceType, entry.DeviceMajor, entry.DeviceMinor);
                break;
            case TarEntryKind.Fifo:
                parent.CreateNode(name, FifoType, 0, 0);
                break;
            default:
                throw new InvalidOperationException($"{entry.Kind} is not created here");
        }

        SetMetadata(parent, name, entry);
        parent.SetTimes(name, entry.MtimeSeconds, entry.MtimeNanoseconds);
    }

    /// <summary>Owner, then attributes and permissions: a change of owner clears file capabilities and setuid.</summary>
    public static void SetMetadata(DirectoryHandle parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        parent.SetOwner(name, entry.Uid, entry.Gid);
        SetAttributes(parent, name, entry);
        if (entry.Kind != TarEntryKind.SymbolicLink)
        {
            parent.SetPermissions(name, entry.Permissions);
        }
    }

    private void CreateFile(DirectoryHandle parent, byte[] name, TarEntry entry, TarStreamReader reader, CancellationToken cancellationToken)
    {
        using var file = parent.CreateFile(name);
        foreach (var region in entry.Sparse ?? [new SparseRegion(0, entry.Size)])
        {
            Write(file, region, reader, cancellationToken);
        }

        if (entry.Sparse is not null)
        {
            RandomAccess.SetLength(file, entry.Size); // A hole at the end.
        }

        FileMetadata.SetOwnerAndPermissions(file, entry.Uid, entry.Gid, entry.Permissions);
        SetAttributes(parent, name, entry);
        FileMetadata.SetTimes(file, entry.MtimeSeconds, entry.MtimeNanoseconds);
    }

    private void Write(SafeFileHandle file, SparseRegion region, TarStreamReader reader, CancellationToken cancellationToken)
    {
        for (var (position, end) = (region.Offset, region.Offset + region.Length); position < end;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = reader.ReadData(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, end - position)));
            RandomAccess.Write(file, _buffer.AsSpan(0, count), position);
            position += count;
        }
    }

    // A file system without an attribute's namespace drops it, as other runtimes do: the image still runs.
    private static void SetAttributes(DirectoryHandle parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        foreach (var attribute in entry.ExtendedAttributes)
        {
            if (IsAllowed(attribute.Name))
            {
                parent.SetExtendedAttribute(name, PathBytes.From(Encoding.UTF8.GetBytes(attribute.Name)), attribute.Value);
            }
        }
    }

    // overlayfs's own attributes could redirect a directory; labels of a security module belong to the host's policy.
    private static bool IsAllowed(string name) =>
        name == "security.capability"
        || (name.StartsWith("user.", StringComparison.Ordinal) && !name.StartsWith("user.overlay.", StringComparison.Ordinal))
        || (name.StartsWith("trusted.", StringComparison.Ordinal) && !name.StartsWith("trusted.overlay.", StringComparison.Ordinal));
}
