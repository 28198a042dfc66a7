using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Storage.Contract;
using Podhost.Storage.Watching;

namespace Podhost.Storage.Etcd;

/// <summary>
/// The one live watch on etcd, which feeds all local watchers. A broken stream is opened again where it stopped; where etcd has compacted
/// that meanwhile, the local watchers are told so, as a direct watch would have been.
/// </summary>
internal sealed partial class EtcdFeed(
    EtcdWatchReader reader, WatchHub hub, Func<CancellationToken, Task<long>> writeMarker, bool canAskForProgress, long start, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProgressPatience = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _progressAsked = new(0);
    private Func<Task>? _askStream;
    private long _lastEvent = start;
    private long _wanted;

    /// <summary>Revision of the last change that came, of the marker too.</summary>
    internal long LastEvent => Interlocked.Read(ref _lastEvent);

    /// <summary>Somebody knows of this revision and may wait for watchers to reach it.</summary>
    internal void WantProgress(long revision)
    {
        if (revision <= hub.Published)
        {
            return;
        }

        Interlocked.Exchange(ref _wanted, Math.Max(revision, Interlocked.Read(ref _wanted)));
        if (_progressAsked.CurrentCount == 0)
        {
            _progressAsked.Release();
        }
    }

    internal Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(FollowAsync(cancellationToken), MakeProgressAsync(cancellationToken));

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var batch in reader.ReadAsync(hub.Published + 1, ask => Volatile.Write(ref _askStream, ask), cancellationToken).ConfigureAwait(false))
                {
                    failures = 0;
                    if (batch.LastEvent > 0)
                    {
                        Interlocked.Exchange(ref _lastEvent, batch.LastEvent);
                    }

                    hub.Publish(batch.Revision, batch.Events);
                }
            }
            catch (CompactedException e)
            {
                await RestartAsync(e, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is RpcException or StoreException && !cancellationToken.IsCancellationRequested)
            {
                LogBroken(logger, hub.Published, e);
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                return;
            }

            Volatile.Write(ref _askStream, null);
            await PauseAsync(failures++, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>History was lost while the stream was down: watchers must list anew, from now on.</summary>
    private async Task RestartAsync(CompactedException compacted, CancellationToken cancellationToken)
    {
        try
        {
            var now = await writeMarker(cancellationToken).ConfigureAwait(false);
            Interlocked.Exchange(ref _lastEvent, now);
            hub.Reset(now, compacted);
            LogHistoryLost(logger, compacted.CompactRevision);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // Still down: the next try finds the same compaction again.
            LogBroken(logger, hub.Published, e);
        }
    }

    private async Task MakeProgressAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _progressAsked.WaitAsync(cancellationToken).ConfigureAwait(false);

                // Usually the change itself is on its way.
                await Task.Delay(ProgressPatience, time, cancellationToken).ConfigureAwait(false);
                if (hub.Published < Interlocked.Read(ref _wanted))
                {
                    await AskAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>
    /// etcd before 3.4.25 and 3.5.8 may answer a progress request before changes that it has not sent yet (etcd issue 15220). There a
    /// change of our own marker, which comes in order, is the proof.
    /// </summary>
    private async Task AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (canAskForProgress && Volatile.Read(ref _askStream) is { } ask)
            {
                await ask().ConfigureAwait(false);
            }
            else
            {
                await writeMarker(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is RpcException or StoreException or InvalidOperationException)
        {
            LogBroken(logger, hub.Published, e);
        }
    }

    private async Task PauseAsync(int failures, CancellationToken cancellationToken)
    {
        var delay = FirstRetry * Math.Pow(2, Math.Min(failures, 10)) * (1 + random.NextDouble());
        try
        {
            await Task.Delay(delay < LongestRetry ? delay : LongestRetry, time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the watch on etcd broke off after revision {Revision}; opening it again")]
    private static partial void LogBroken(ILogger logger, long revision, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "etcd compacted up to {Revision} while the watch was down; watchers must list anew")]
    private static partial void LogHistoryLost(ILogger logger, long revision);
}
