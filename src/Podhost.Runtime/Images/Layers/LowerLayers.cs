using Podhost.Linux.Files;

namespace Podhost.Runtime.Images.Layers;

/// <summary>
/// The layers below the one that is being unpacked. A layer's tar may hold "tmp/x" without "tmp": the directory that is made for it
/// hides the lower one in an overlay, so it has to take over that one's owner and mode.
/// </summary>
internal sealed class LowerLayers : IDisposable
{
    private readonly List<DirectoryHandle> _layers = [];

    /// <param name="directories">The parents' directories, the top one first.</param>
    public LowerLayers(IEnumerable<string> directories)
    {
        try
        {
            foreach (var directory in directories)
            {
                _layers.Add(DirectoryHandle.Open(directory));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The status of a directory in the merged lower layers; null where there is none. The path ends with NUL.</summary>
    public FileStatus? FindDirectory(ReadOnlySpan<byte> path)
    {
        foreach (var layer in _layers)
        {
            using var directory = layer.OpenWithoutLinks(path, out var errno);
            if (directory is not null)
            {
                return directory.Status();
            }

            // Anything but "not here" (a whiteout, a file or a link on the way) hides what is below.
            if (errno != Errno.ENOENT)
            {
                return null;
            }
        }

        return null;
    }

    public void Dispose() => _layers.ForEach(layer => layer.Dispose());
}
