namespace Podhost.Runtime.Images.Layers;

/// <summary>An entry's name, split for system calls: both parts end with NUL. The root itself has the name ".".</summary>
internal readonly record struct EntryPath(byte[] Parent, byte[] Name)
{
    public bool IsRoot => Name is [(byte)'.', 0];

    /// <summary>
    /// Cleans a name of a tar: leading slashes, empty parts and "." are dropped. ".." is refused: no builder writes it, and
    /// every use of it is an attack.
    /// </summary>
    public static EntryPath Parse(ReadOnlySpan<byte> name)
    {
        var clean = new List<byte>(name.Length + 1);
        var start = 0;
        foreach (var range in name.Split((byte)'/'))
        {
            var part = name[range];
            if (part.Length == 0 || part.SequenceEqual("."u8))
            {
                continue;
            }

            if (part.SequenceEqual(".."u8))
            {
                throw new ImageException(ImageError.Invalid, $"layer entry \"{Podhost.Linux.Files.PathBytes.Show(name)}\" has \"..\" in its name");
            }

            if (part.Length > 255)
            {
                throw new ImageException(ImageError.Invalid, "layer entry has a file name longer than 255 bytes");
            }

            if (clean.Count > 0)
            {
                clean.Add((byte)'/');
            }

            start = clean.Count;
            clean.AddRange(part);
        }

        if (clean.Count == 0)
        {
            return new EntryPath(".\0"u8.ToArray(), ".\0"u8.ToArray());
        }

        byte[] parent = start == 0 ? ".\0"u8.ToArray() : [.. clean[..(start - 1)], 0];
        return new EntryPath(parent, [.. clean[start..], 0]);
    }
}
