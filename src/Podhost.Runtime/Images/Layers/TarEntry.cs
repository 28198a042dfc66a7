namespace Podhost.Runtime.Images.Layers;

/// <summary>The kinds of entries that a layer may have; everything else in a tar is refused.</summary>
internal enum TarEntryKind
{
    RegularFile,
    Directory,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
}

/// <summary>An entry of a tar stream. Names and attribute values are bytes, as on disk.</summary>
internal sealed record TarEntry
{
    public required TarEntryKind Kind { get; init; }

    public required byte[] Name { get; init; }

    /// <summary>The target of a link; empty otherwise.</summary>
    public byte[] LinkName { get; init; } = [];

    public int Permissions { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>Bytes of the file; holes of a sparse one included.</summary>
    public long Size { get; init; }

    /// <summary>Where the data belongs in a sparse file; null where it is the whole file.</summary>
    public IReadOnlyList<SparseRegion>? Sparse { get; init; }

    public long MtimeSeconds { get; init; }

    public int MtimeNanoseconds { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    public IReadOnlyList<ExtendedAttribute> ExtendedAttributes { get; init; } = [];
}

/// <summary>An extended attribute, from a SCHILY.xattr record.</summary>
internal sealed record ExtendedAttribute(string Name, byte[] Value);
