using System.Globalization;
using System.IO.Compression;
using Podhost.Linux.Polling;

namespace Podhost.Kubelet.Server.Logs;

/// <summary>Reads a container's log in CRI format, and follows it by inotify through rotations until the container has ended.</summary>
/// <param name="path">The log; it is replaced by rename and a new file of the same name when it is rotated.</param>
/// <param name="isRunning">Whether more can still be written; read from memory.</param>
/// <param name="time">Clock of the look at <paramref name="isRunning"/>, which no file event announces.</param>
internal sealed class LogReader(string path, Func<bool> isRunning, TimeProvider time)
{
    /// <summary>A line longer than this is cut; runtimes cut at 16 KiB.</summary>
    private const int MaxLine = 1024 * 1024;

    private const int ReadSize = 64 * 1024;
    private const int MaxAttempts = 10;
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>Copies what is asked for to <paramref name="output"/>.</summary>
    /// <exception cref="FileNotFoundException">There is no log.</exception>
    public async Task CopyAsync(LogOptions options, Stream output, CancellationToken cancellationToken)
    {
        // The watch begins before the first read, so that nothing falls between the two.
        using var watch = options.Follow ? new LogWatch(path, time, cancellationToken) : null;
        var file = Open(path);
        try
        {
            file.Position = options.TailLines is { } lines ? LogTailStart.Find(file.SafeFileHandle, lines) : 0;
            var writer = new LogWriter(options, output);
            var lineBuffer = new LineBuffer();
            while (true)
            {
                var running = watch is not null && isRunning(); // asked before reading: what was written before the end is read then
                await DrainAsync(file, lineBuffer, writer, cancellationToken).ConfigureAwait(false);
                await output.FlushAsync(cancellationToken).ConfigureAwait(false);
                if (writer.IsFull || watch is null)
                {
                    return;
                }

                if (ReplacedName(file) is { } old && File.Exists(path))
                {
                    // The writer may have put more into the old file until it took the new one.
                    await DrainAsync(file, lineBuffer, writer, cancellationToken).ConfigureAwait(false);
                    await file.DisposeAsync().ConfigureAwait(false);
                    file = await NextAsync(old, lineBuffer, writer, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (!running)
                {
                    return;
                }

                await watch.WaitAsync(LookAgain).ConfigureAwait(false);
            }
        }
        finally
        {
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Opens what follows a file that was read to its end. A reader whose client is slow may be more than one rotation behind: what was
    /// compressed meanwhile is read on the way.
    /// </summary>
    private async Task<FileStream> NextAsync(string read, LineBuffer lines, LogWriter writer, CancellationToken cancellationToken)
    {
        var directory = Path.GetDirectoryName(path)!;
        for (var attempt = 0; ;)
        {
            var next = Path.Combine(directory, LogSuccession.After(Path.GetFileName(path), read, Directory.EnumerateFiles(directory).Select(f => Path.GetFileName(f))));
            try
            {
                if (!LogSuccession.IsCompressed(next))
                {
                    return Open(next);
                }

                var zip = new GZipStream(Open(next), CompressionMode.Decompress);
                await using (zip.ConfigureAwait(false))
                {
                    await DrainAsync(zip, lines, writer, cancellationToken).ConfigureAwait(false);
                }

                read = LogSuccession.NameOf(next);
            }
            catch (FileNotFoundException) when (++attempt < MaxAttempts)
            {
                // Renamed between the two looks.
            }
        }
    }

    private static Task DrainAsync(FileStream file, LineBuffer lines, LogWriter writer, CancellationToken cancellationToken)
    {
        if (file.Length < file.Position)
        {
            file.Position = 0; // truncated in place
        }

        return DrainAsync((Stream)file, lines, writer, cancellationToken);
    }

    private static async Task DrainAsync(Stream file, LineBuffer lines, LogWriter writer, CancellationToken cancellationToken)
    {
        var buffer = new byte[ReadSize];
        int n;
        while (!writer.IsFull && (n = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            var rest = buffer.AsMemory(0, n);
            int newline;
            while (!writer.IsFull && (newline = rest.Span.IndexOf((byte)'\n')) >= 0)
            {
                await writer.WriteAsync(lines.Complete(rest[..newline]), cancellationToken).ConfigureAwait(false);
                rest = rest[(newline + 1)..];
            }

            lines.Keep(rest.Span, MaxLine);
        }
    }

    /// <summary>The name that an open file has now, where it is the log no more. The kernel names an open file by where it is.</summary>
    private string? ReplacedName(FileStream file)
    {
        var target = new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}")).LinkTarget;
        return target is not null && Path.GetFileName(target) != Path.GetFileName(path) ? LogSuccession.NameOf(target) : null;
    }

    private static FileStream Open(string file) => new(file, new FileStreamOptions
    {
        Mode = FileMode.Open,
        Access = FileAccess.Read,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
    });

    /// <summary>Holds the beginning of a line until its end was read.</summary>
    private sealed class LineBuffer
    {
        private byte[] kept = [];

        public ReadOnlyMemory<byte> Complete(ReadOnlyMemory<byte> end)
        {
            if (kept.Length == 0)
            {
                return end;
            }

            byte[] line = [.. kept, .. end.Span];
            kept = [];
            return line;
        }

        public void Keep(ReadOnlySpan<byte> part, int limit)
        {
            if (!part.IsEmpty && kept.Length < limit)
            {
                kept = [.. kept, .. part];
            }
        }
    }
}

/// <summary>Wakes a follower when something happens to its log.</summary>
internal sealed class LogWatch : IDisposable
{
    private readonly DirectoryWatcher watcher;
    private readonly SemaphoreSlim signal = new(0, 1);
    private readonly CancellationTokenSource stop;
    private readonly TimeProvider time;
    private readonly Task watching;

    public LogWatch(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        this.time = time;
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        watcher = new DirectoryWatcher(Path.GetDirectoryName(path)!, includeCreated: true, includeModified: true);
        watching = WatchAsync();
    }

    /// <summary>Waits for an event, or for the given time.</summary>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public async Task WaitAsync(TimeSpan atMost)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, limit.Token);
        try
        {
            await signal.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Nothing happened: the caller looks whether the container still runs.
        }

        if (watching.IsFaulted)
        {
            await watching.ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        stop.Cancel();
        _ = watching.ContinueWith(
            (t, state) =>
            {
                _ = t.Exception;
                ((LogWatch)state!).watcher.Dispose();
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var name in watcher.ReadAsync(stop.Token).ConfigureAwait(false))
            {
                if (signal.CurrentCount == 0)
                {
                    signal.Release();
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The follower has ended.
        }
    }
}
