using System.Runtime.CompilerServices;
using Grpc.Core;
using Podhost.Storage.Contract;
using Podhost.Storage.Etcd.Wire;

namespace Podhost.Storage.Etcd;

/// <summary>One watch stream over all our keys, with split responses put together again.</summary>
internal sealed class EtcdWatchReader(Watch.WatchClient client, EtcdKeys keys)
{
    /// <summary>What came: changes up to a revision, or progress without any. <c>LastEvent</c> counts the marker's changes too.</summary>
    internal sealed record Batch(long Revision, long LastEvent, IReadOnlyList<StoreEvent> Events);

    /// <param name="from">First revision.</param>
    /// <param name="opened">Gets the way to ask the stream for its progress.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CompactedException">The start was compacted.</exception>
    /// <exception cref="RpcException">The stream broke.</exception>
    internal async IAsyncEnumerable<Batch> ReadAsync(
        long from, Action<Func<Task>>? opened, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = client.Watch(cancellationToken: cancellationToken);
        var create = new WatchCreateRequest
        {
            Key = keys.RootStart, RangeEnd = keys.RootEnd, StartRevision = from, ProgressNotify = true, PrevKv = true, Fragment = true,
        };
        await call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = create }, cancellationToken).ConfigureAwait(false);
        opened?.Invoke(() => call.RequestStream.WriteAsync(new WatchRequest { ProgressRequest = new() }, cancellationToken));

        var parts = new List<Event>();
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (response.Canceled)
            {
                throw response.CompactRevision > 0
                    ? new CompactedException(response.CompactRevision)
                    : new StoreException($"etcd ended the watch: {response.CancelReason}");
            }

            if (response.Created)
            {
                continue;
            }

            parts.AddRange(response.Events);
            if (response.Fragment)
            {
                continue;
            }

            yield return ToBatch(response, parts);
            parts.Clear();
        }
    }

    private Batch ToBatch(WatchResponse response, List<Event> parts)
    {
        if (parts.Count == 0)
        {
            return new Batch(response.Header.Revision, 0, []);
        }

        // The header may be ahead of the events: only theirs is a revision up to which all has come.
        var last = parts[^1].Kv.ModRevision;
        return new Batch(last, last, parts.Where(e => e.Kv.Key != keys.Marker).Select(keys.ToEvent).ToList());
    }
}
