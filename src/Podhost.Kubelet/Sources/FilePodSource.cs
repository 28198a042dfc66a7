using System.Globalization;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// Static pods of a directory (or of one file): inotify says that something changed, then everything is read anew; a slow rescan mends
/// what inotify misses. A file that cannot be read as a pod leaves the pod that it was before as it is.
/// </summary>
internal sealed partial class FilePodSource(string path, StaticPodReader reader, IPodTarget pods, TimeSpan rescan, TimeProvider time, ILogger logger)
{
    private readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<string, V1Pod> known = new(StringComparer.Ordinal);

    /// <summary>Completes after the first scan.</summary>
    public Task Synced => synced.Task;

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var watcher = Watch();
        while (true)
        {
            Scan();
            synced.TrySetResult();
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var next = changed.Reader.ReadAsync(pause.Token).AsTask();
            await Task.WhenAny(next, Task.Delay(rescan, time, pause.Token)).ConfigureAwait(false);
            await pause.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Reads everything and tells what changed.</summary>
    internal void Scan()
    {
        var now = new Dictionary<string, V1Pod>(StringComparer.Ordinal);
        foreach (var file in Files())
        {
            if (Read(file) is { } pod)
            {
                now[file] = pod;
            }
        }

        foreach (var (file, pod) in known)
        {
            if (!now.TryGetValue(file, out var same) || same.Metadata.Uid != pod.Metadata.Uid)
            {
                pods.Gone(pod.Metadata.Uid, null);
            }
        }

        foreach (var (file, pod) in now)
        {
            if (!known.TryGetValue(file, out var same) || same.Metadata.Uid != pod.Metadata.Uid)
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

            return Directory.Exists(path)
                ? [.. Directory.EnumerateFiles(path).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal)]
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, path, e.Message);
            return [.. known.Keys];
        }
    }

    private V1Pod? Read(string file)
    {
        var before = known.GetValueOrDefault(file);
        try
        {
            if (new FileInfo(file).Length > StaticPodReader.MaxBytes)
            {
                throw new FormatException($"the manifest is larger than {StaticPodReader.MaxBytes} bytes");
            }

            var pod = reader.Read(file, File.ReadAllBytes(file));
            if (before?.Metadata.Uid == pod.Metadata.Uid)
            {
                return before;
            }

            var seen = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffK", CultureInfo.InvariantCulture);
            pod.Metadata.Annotations[PodAnnotations.Seen] = seen;
            return pod;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            LogInvalid(logger, file, e.Message);
            return before;
        }
    }

    private FileSystemWatcher? Watch()
    {
        var directory = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path));
        if (directory is null || !Directory.Exists(directory))
        {
            return null;
        }

        var watcher = new FileSystemWatcher(directory) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
        watcher.Created += (_, _) => Wake();
        watcher.Changed += (_, _) => Wake();
        watcher.Deleted += (_, _) => Wake();
        watcher.Renamed += (_, _) => Wake();
        watcher.Error += (_, _) => Wake();
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private void Wake() => changed.Writer.TryWrite(true);

    [LoggerMessage(1, LogLevel.Error, "Static pod {File} is not taken: {Error}")]
    private static partial void LogInvalid(ILogger logger, string file, string error);

    [LoggerMessage(2, LogLevel.Error, "Static pods in {Path} cannot be listed: {Error}")]
    private static partial void LogUnreadable(ILogger logger, string path, string error);
}
