using System.Globalization;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Linux.Files;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// Static pods of a directory (or of one file): inotify says that something changed, then everything is looked at; a slow rescan mends
/// what inotify misses. A file that cannot be read as a pod leaves the pod that it was before as it is, and all others.
/// </summary>
internal sealed partial class FilePodSource(
    string path, StaticPodReader reader, IPodTarget pods, ManifestObjects? objects, TimeSpan rescan, TimeProvider time, ILogger logger)
{
    /// <summary>Most files that are looked at.</summary>
    internal const int MaxFiles = 1000;

    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, string> complaints = new(StringComparer.Ordinal);
    private Dictionary<string, StaticManifest> known = new(StringComparer.Ordinal);

    /// <summary>Completes after the first scan.</summary>
    public Task Synced => synced.Task;

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Watched first, read then: what comes between is heard.
            using var watch = ManifestWatch.Open(path, cancellationToken);
            do
            {
                Scan();
                synced.TrySetResult();
                await watch.WaitAsync(rescan, time, cancellationToken).ConfigureAwait(false);
            }
            while (!watch.IsStale);
        }
    }

    /// <summary>Reads everything and tells what changed.</summary>
    internal void Scan()
    {
        var now = new Dictionary<string, StaticManifest>(StringComparer.Ordinal);
        var files = Files();
        foreach (var file in files)
        {
            if (Read(file) is { } manifest)
            {
                now[file] = manifest;
            }
        }

        foreach (var gone in complaints.Keys.Except(files).ToList())
        {
            complaints.Remove(gone);
        }

        // Objects first: the pods that come may use them already.
        objects?.Replace([.. now.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => e.Value)]);
        foreach (var (file, manifest) in known)
        {
            if (manifest.Pod is not null && (!now.TryGetValue(file, out var same) || same.Uid != manifest.Uid))
            {
                pods.Gone(manifest.Uid, null);
            }
        }

        foreach (var (file, manifest) in now)
        {
            if (manifest.Pod is { } pod && (!known.TryGetValue(file, out var same) || same.Uid != manifest.Uid))
            {
                pods.Set(pod);
            }
        }

        known = now;
    }

    private IReadOnlyList<string> Files()
    {
        try
        {
            if (File.Exists(path))
            {
                return [path];
            }

            if (!Directory.Exists(path))
            {
                return [];
            }

            var all = Directory.EnumerateFiles(path).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal).Take(MaxFiles + 1).ToList();
            if (all.Count > MaxFiles)
            {
                Complain(path, $"it holds more than {MaxFiles} files: the others are not looked at");
                all.RemoveAt(MaxFiles);
            }

            return all;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Complain(path, $"it cannot be listed: {e.Message}");
            return [.. known.Keys];
        }
    }

    private StaticManifest? Read(string file)
    {
        var before = known.GetValueOrDefault(file);
        try
        {
            if (Content(file) is not { } content)
            {
                return null;
            }

            if (before?.Uid == reader.UidOf(file, content))
            {
                complaints.Remove(file);
                return before;
            }

            var manifest = reader.Read(file, content);
            Complain(file, string.Join(", ", manifest.Unknown));
            if (manifest.Pod is { } pod)
            {
                pod.Metadata.Annotations[PodAnnotations.Seen] = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffK", CultureInfo.InvariantCulture);
            }

            return manifest;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // removed since it was listed
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException or FileSystemException)
        {
            Complain(file, e.Message + (before is null ? "" : "; what it said before stays"));
            return before;
        }
    }

    // A pipe or a device would hold the reader.
    private static byte[]? Content(string file)
    {
        var target = new FileInfo(file).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file;
        using var directory = DirectoryHandle.Open(Path.GetDirectoryName(Path.GetFullPath(target))!);
        if (directory.Status(PathBytes.From(Path.GetFileName(target))) is not { } status)
        {
            return null;
        }

        return !status.IsRegular ? throw new FormatException("it is not a regular file")
            : status.Size > StaticPodReader.MaxBytes ? throw new FormatException($"the manifest is larger than {StaticPodReader.MaxBytes} bytes")
            : File.ReadAllBytes(file);
    }

    // Once for each different complaint, not at every look.
    private void Complain(string file, string what)
    {
        if (what.Length == 0)
        {
            complaints.Remove(file);
        }
        else if (complaints.GetValueOrDefault(file) != what)
        {
            complaints[file] = what;
            LogComplaint(logger, file, what);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Static pod manifest {File}: {What}")]
    private static partial void LogComplaint(ILogger logger, string file, string what);
}
