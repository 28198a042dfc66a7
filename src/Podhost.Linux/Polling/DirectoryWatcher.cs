using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Polling;

/// <summary>The names of files that appear complete in a directory: renamed into it, or closed after writing (inotify).</summary>
public sealed class DirectoryWatcher : IDisposable
{
    private const uint Modified = 0x2;
    private const uint CloseWrite = 0x8;
    private const uint MovedTo = 0x80;
    private const uint MovedFrom = 0x40;
    private const uint Created = 0x100;
    private const uint Deleted = 0x200;
    private const uint SelfDeletedOrMoved = 0x400 | 0x800;
    private const uint QueueOverflow = 0x4000;
    private const int HeaderSize = 16;
    private readonly SafeFileHandle _handle;
    private readonly string _directory;

    /// <summary>Watches from now on; files that are there already are not reported.</summary>
    /// <param name="directory">An existing directory.</param>
    /// <param name="includeCreated">Report files when they are created too, before they are complete.</param>
    /// <param name="includeModified">Report files whenever they are written to.</param>
    /// <param name="includeRemoved">Report files that leave the directory too, and, as an empty name, the directory's own end or move.</param>
    public DirectoryWatcher(string directory, bool includeCreated = false, bool includeModified = false, bool includeRemoved = false)
    {
        var inotify = Libc.inotify_init1(0x80000 | 0x800);
        LinuxException.ThrowIf(inotify < 0, "create an inotify instance");
        _handle = new SafeFileHandle(inotify, true);
        _directory = directory;
        var mask = CloseWrite | MovedTo | (includeCreated ? Created : 0) | (includeModified ? Modified : 0)
            | (includeRemoved ? MovedFrom | Deleted | SelfDeletedOrMoved : 0);
        if (Libc.inotify_add_watch(inotify, directory, mask) < 0)
        {
            var failure = LinuxException.Last($"watch {directory}");
            _handle.Dispose();
            throw failure;
        }
    }

    /// <summary>The names, as they come. After an overflow of the kernel's queue all names in the directory come once more.</summary>
    /// <param name="cancellationToken">Ends the sequence with an exception.</param>
    public async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = new DescriptorStream(_handle, canRead: true, canWrite: false);
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var count = await stream.ReadAsync(buffer, cancellationToken);
            foreach (var name in Parse(buffer.AsSpan(0, count), _directory))
            {
                yield return name;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static List<string> Parse(ReadOnlySpan<byte> events, string directory)
    {
        var names = new List<string>();
        while (events.Length >= HeaderSize)
        {
            var mask = BinaryPrimitives.ReadUInt32LittleEndian(events[4..]);
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(events[12..]);
            if ((mask & SelfDeletedOrMoved) != 0)
            {
                names.Add("");
            }
            else if ((mask & QueueOverflow) != 0 && Directory.Exists(directory))
            {
                names.AddRange(Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)));
            }
            else if (length > 0)
            {
                names.Add(Encoding.UTF8.GetString(events.Slice(HeaderSize, length)).TrimEnd('\0'));
            }

            events = events[(HeaderSize + length)..];
        }

        return names;
    }
}
