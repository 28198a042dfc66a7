using System.Globalization;
using Podhost.Kubelet.Volumes.Payloads;
using Podhost.Linux.Files;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes;

/// <summary>
/// Replaces the files of a volume all at once. What a container sees are links (<c>key → ..data/key</c>) into a hidden directory that
/// <c>..data</c> links to; a new version is a new directory, and one rename of that link makes it current. Unchanged payloads are not
/// written. One caller at a time.
/// </summary>
internal sealed class AtomicWriter(string directory, TimeProvider time)
{
    private const string DataLink = "..data";
    private const string NewDataLink = "..data_tmp";
    private const int DirectoryMode = 0x1ed; // 0755

    // Nobody reads a secret between its creation and its own mode.
    private static readonly FileStreamOptions NewFile = new()
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        BufferSize = 0,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    };

    private string DataPath => Path.Combine(directory, DataLink);

    /// <summary>Makes the volume's files exactly the payload.</summary>
    /// <param name="payload">Files by relative path.</param>
    /// <param name="prepare">Applied to the new hidden directory before it becomes current (ownership).</param>
    /// <returns>False where nothing had to be written.</returns>
    /// <exception cref="PayloadException">A path is not allowed.</exception>
    public bool Write(IReadOnlyDictionary<string, PayloadFile> payload, Action<string> prepare)
    {
        var files = CheckPaths(payload);
        var current = CurrentVersion();
        RemoveLeftovers(current);
        if (current is not null && Equals(files, Path.Combine(directory, current)))
        {
            LinkVisible(files);
            return false;
        }

        var version = CreateVersion(current);
        var versionPath = Path.Combine(directory, version);
        WriteFiles(files, versionPath);
        prepare(versionPath);
        File.CreateSymbolicLink(Path.Combine(directory, NewDataLink), version);
        PublishNewLink();

        LinkVisible(files);
        RemoveInvisible(files);
        if (current is not null)
        {
            Directory.Delete(Path.Combine(directory, current), recursive: true);
        }

        return true;
    }

    private static Dictionary<string, PayloadFile> CheckPaths(IReadOnlyDictionary<string, PayloadFile> payload)
    {
        var result = new Dictionary<string, PayloadFile>(StringComparer.Ordinal);
        foreach (var (path, file) in payload)
        {
            result[PayloadPath.Clean(path)] = file;
        }

        foreach (var path in result.Keys)
        {
            for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
            {
                if (result.ContainsKey(path[..slash]))
                {
                    throw new PayloadException($"invalid path: {path[..slash]} is both a file and a directory");
                }
            }
        }

        return result;
    }

    private string? CurrentVersion()
    {
        var target = new FileInfo(DataPath).LinkTarget;
        return target is not null && Directory.Exists(Path.Combine(directory, target)) ? target : null;
    }

    /// <summary>What a crash in the middle of an earlier write left.</summary>
    private void RemoveLeftovers(string? current)
    {
        File.Delete(Path.Combine(directory, NewDataLink));
        foreach (var path in Directory.EnumerateDirectories(directory, "..2*"))
        {
            if (Path.GetFileName(path) != current && new DirectoryInfo(path).LinkTarget is null)
            {
                Directory.Delete(path, recursive: true);
            }
        }
    }

    private static bool Equals(Dictionary<string, PayloadFile> files, string version)
    {
        var present = Directory.EnumerateFiles(version, "*", SearchOption.AllDirectories).Count();
        return present == files.Count && files.All(f => HasContent(Path.Combine(version, f.Key), f.Value));
    }

    private static bool HasContent(string path, PayloadFile file)
    {
        var info = new FileInfo(path);
        return info.Exists && info.Length == file.Content.Length && file.Content.Span.SequenceEqual(File.ReadAllBytes(path));
    }

    /// <summary>A name that was never in use: a reader that still holds an old one must find nothing there, not another version.</summary>
    private string CreateVersion(string? current)
    {
        var stamp = time.GetUtcNow().ToString("..yyyy_MM_dd_HH_mm_ss.", CultureInfo.InvariantCulture);
        var number = current?.StartsWith(stamp, StringComparison.Ordinal) == true
            && int.TryParse(current.AsSpan(stamp.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last + 1 : 0;
        var name = stamp + number.ToString(CultureInfo.InvariantCulture);
        CreateDirectory(Path.Combine(directory, name));
        return name;
    }

    private static void WriteFiles(Dictionary<string, PayloadFile> files, string version)
    {
        foreach (var (relative, file) in files)
        {
            var parent = version;
            foreach (var part in relative.Split('/')[..^1])
            {
                parent = Path.Combine(parent, part);
                if (!Directory.Exists(parent))
                {
                    CreateDirectory(parent);
                }
            }

            var path = Path.Combine(version, relative);
            using (var stream = new FileStream(path, NewFile))
            {
                stream.Write(file.Content.Span);
            }

            if (file.User is { } user)
            {
                PathOwnership.SetOwner(path, (uint)user, PathOwnership.Keep);
            }

            PathOwnership.SetMode(path, file.Mode);
        }
    }

    private static void CreateDirectory(string path)
    {
        Directory.CreateDirectory(path);
        PathOwnership.SetMode(path, DirectoryMode);
    }

    /// <summary>rename(2) itself: File.Move refuses a link to a directory.</summary>
    private void PublishNewLink()
    {
        using var handle = DirectoryHandle.Open(directory);
        handle.Rename(PathBytes.From(NewDataLink), handle, PathBytes.From(DataLink));
    }

    private static HashSet<string> VisibleNames(Dictionary<string, PayloadFile> files) =>
        files.Keys.Select(path => path.Split('/')[0]).ToHashSet(StringComparer.Ordinal);

    private void LinkVisible(Dictionary<string, PayloadFile> files)
    {
        foreach (var name in VisibleNames(files))
        {
            var path = Path.Combine(directory, name);
            if (new FileInfo(path).LinkTarget is null && !Path.Exists(path))
            {
                File.CreateSymbolicLink(path, Path.Combine(DataLink, name));
            }
        }
    }

    private void RemoveInvisible(Dictionary<string, PayloadFile> files)
    {
        var wanted = VisibleNames(files);
        foreach (var path in Directory.EnumerateFileSystemEntries(directory))
        {
            var name = Path.GetFileName(path);
            if (!wanted.Contains(name) && !name.StartsWith("..", StringComparison.Ordinal)
                && new FileInfo(path).LinkTarget?.StartsWith(DataLink + "/", StringComparison.Ordinal) == true)
            {
                File.Delete(path);
            }
        }
    }
}
