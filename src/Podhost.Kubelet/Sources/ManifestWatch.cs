using System.Threading.Channels;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// Says that something changed in a directory of manifests, or about one manifest: files that were closed after writing, renamed or removed.
/// A directory that comes, goes or is replaced is seen in the one above it; then the watch is stale, and another must be opened.
/// </summary>
internal sealed class ManifestWatch : IDisposable
{
    private readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource ending;
    private readonly string path;
    private readonly bool hasDirectory;
    private volatile bool stale;

    private ManifestWatch(string path, CancellationToken cancellationToken)
    {
        this.path = path;
        ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        hasDirectory = Directory.Exists(path) && Follow(path, _ => true);
        if (Path.GetDirectoryName(path) is { } above && Directory.Exists(above))
        {
            Follow(above, name => name == Path.GetFileName(path));
        }
    }

    /// <summary>Watches from now on.</summary>
    public static ManifestWatch Open(string path, CancellationToken cancellationToken) => new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), cancellationToken);

    /// <summary>It would miss what comes now.</summary>
    public bool IsStale => stale || hasDirectory != Directory.Exists(path);

    /// <summary>Waits for a change, or for the given time.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await changed.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Time for a look although nothing was heard.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ending.Cancel();
        ending.Dispose();
    }

    // False where it cannot be watched: a look now and then has to do.
    private bool Follow(string directory, Func<string, bool> concerns)
    {
        try
        {
            _ = FollowAsync(new DirectoryWatcher(directory, includeCreated: directory != path, includeRemoved: true), directory == path, concerns, ending.Token);
            return true;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    private async Task FollowAsync(DirectoryWatcher watcher, bool isItself, Func<string, bool> concerns, CancellationToken cancellationToken)
    {
        using (watcher)
        {
            try
            {
                await foreach (var name in watcher.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    // An empty name is the directory's own end; a name above may be another directory in the place of this one.
                    stale |= name.Length == 0 || (!isItself && concerns(name) && hasDirectory);
                    if (name.Length == 0 || concerns(name))
                    {
                        changed.Writer.TryWrite(true);
                    }
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The watch was closed.
            }
            catch (Exception e) when (e is LinuxException or IOException)
            {
                stale = true;
                changed.Writer.TryWrite(true);
            }
        }
    }
}
