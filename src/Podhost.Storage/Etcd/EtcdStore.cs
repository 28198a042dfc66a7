using System.Runtime.CompilerServices;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Podhost.Storage.Contract;
using Podhost.Storage.Etcd.Wire;
using Podhost.Storage.Keys;
using Podhost.Storage.Watching;
using PutRequest = Podhost.Storage.Contract.PutRequest;
using RangeRequest = Podhost.Storage.Contract.RangeRequest;

namespace Podhost.Storage.Etcd;

/// <summary>The store on etcd v3, for those who outgrow one machine.</summary>
public sealed class EtcdStore : IStore, IReplaySource
{
    private const int Page = 500;
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromSeconds(30);

    private readonly EtcdStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly EtcdKeys _keys;
    private readonly GrpcChannel _channel;
    private readonly KV.KVClient _kv;
    private readonly Maintenance.MaintenanceClient _maintenance;
    private readonly EtcdLeases _leases;
    private readonly EtcdWatchReader _reader;
    private readonly CancellationTokenSource _closing = new();
    private WatchHub _hub = null!;
    private EtcdFeed _feed = null!;
    private Task _feeding = Task.CompletedTask;
    private int _disposed;

    private EtcdStore(EtcdStoreOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _keys = new EtcdKeys(options.Prefix);
        _channel = EtcdChannel.Open(options);
        _kv = new KV.KVClient(_channel);
        _maintenance = new Maintenance.MaintenanceClient(_channel);
        _leases = new EtcdLeases(new Lease.LeaseClient(_channel), options.CallTimeout, time);
        _reader = new EtcdWatchReader(new Watch.WatchClient(_channel), _keys);
    }

    /// <summary>Connects, checks that we may write, and starts the feed of watchers.</summary>
    /// <exception cref="StoreException">etcd cannot be reached, or refuses us.</exception>
    public static async Task<EtcdStore> OpenAsync(
        EtcdStoreOptions options, TimeProvider time, Random random, ILogger logger, CancellationToken cancellationToken)
    {
        var store = new EtcdStore(options, time);
        try
        {
            var status = await store.CallAsync(o => store._maintenance.StatusAsync(new StatusRequest(), o), false, cancellationToken).ConfigureAwait(false);
            var start = await store.WriteMarkerAsync(cancellationToken).ConfigureAwait(false);
            store._hub = new WatchHub(store, start, options.WatchBufferEvents);
            var canAsk = EtcdVersion.HasOrderedProgress(status.Version);
            store._feed = new EtcdFeed(store._reader, store._hub, store.WriteMarkerAsync, canAsk, start, time, random, logger);
            store._feeding = Task.Run(() => store._feed.RunAsync(store._closing.Token), CancellationToken.None);
            return store;
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> CurrentRevisionAsync(CancellationToken cancellationToken)
    {
        // A linearizable read of nothing: its header is the newest revision of the whole etcd.
        var request = new Wire.RangeRequest { Key = _keys.Marker, CountOnly = true };
        var response = await CallAsync(o => _kv.RangeAsync(request, o), false, cancellationToken).ConfigureAwait(false);
        _feed.WantProgress(response.Header.Revision);
        return response.Header.Revision;
    }

    /// <inheritdoc/>
    public async ValueTask<StoreEntry?> GetAsync(string key, long revision, CancellationToken cancellationToken)
    {
        var request = new Wire.RangeRequest { Key = _keys.ToWire(key), Revision = revision };
        var response = await ReadAsync(request, cancellationToken).ConfigureAwait(false);
        return response.Kvs.Count == 0 ? null : _keys.ToEntry(response.Kvs[0]);
    }

    /// <inheritdoc/>
    public async ValueTask<StoreRange> RangeAsync(RangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(request.Limit);
        var (from, to) = _keys.Range(request.Prefix, request.StartKey);
        var (revision, total) = (request.Revision, 0L);
        var entries = new List<StoreEntry>();
        while (true)
        {
            // etcd answers a range in one message: large ones are read in pages of one revision.
            var limit = request.Limit == 0 ? Page : Math.Min(Page, request.Limit - entries.Count);
            var page = await ReadAsync(
                new Wire.RangeRequest { Key = from, RangeEnd = to, Limit = limit, Revision = revision }, cancellationToken).ConfigureAwait(false);
            revision = revision == 0 ? page.Header.Revision : revision;
            total = entries.Count == 0 ? page.Count : total;
            entries.AddRange(page.Kvs.Select(_keys.ToEntry));
            if (!page.More || entries.Count == request.Limit)
            {
                return new StoreRange(revision, entries, page.More, page.More ? total - entries.Count : 0);
            }

            from = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<WriteResult> PutAsync(PutRequest request, CancellationToken cancellationToken)
    {
        StoreKey.CheckValue(request.Value);
        var key = _keys.ToWire(request.Key);
        var lease = request.Ttl is { } ttl ? await LeaseAsync(ttl, cancellationToken).ConfigureAwait(false) : 0;
        var put = new Wire.PutRequest { Key = key, Value = ByteString.CopyFrom(request.Value.Span), Lease = lease };
        var txn = await TxnAsync(key, request.ExpectedModRevision, new RequestOp { RequestPut = put }, cancellationToken).ConfigureAwait(false);
        return txn.Succeeded ? new WriteResult(true, txn.Header.Revision, null) : Refused(txn);
    }

    /// <inheritdoc/>
    public async ValueTask<WriteResult> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken)
    {
        // etcd would call the deletion of a missing key at revision 0 a success.
        var expected = expectedModRevision <= 0 ? long.MaxValue : expectedModRevision;
        var wire = _keys.ToWire(key);
        var delete = new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = wire, PrevKv = true } };
        var txn = await TxnAsync(wire, expected, delete, cancellationToken).ConfigureAwait(false);
        return txn.Succeeded
            ? new WriteResult(true, txn.Header.Revision, _keys.ToEntry(txn.Responses[0].ResponseDeleteRange.PrevKvs[0]))
            : Refused(txn);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken)
    {
        StoreKey.EncodePrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(fromRevision);
        return fromRevision == 0 ? WatchFromNowAsync(prefix, cancellationToken) : _hub.WatchAsync(prefix, fromRevision, cancellationToken);
    }

    /// <summary>Now is etcd's revision: the feed may still be behind a change that its writer already knows to be done.</summary>
    private async IAsyncEnumerable<StoreWatchBatch> WatchFromNowAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var now = await CurrentRevisionAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var batch in _hub.WatchAsync(prefix, now + 1, cancellationToken).ConfigureAwait(false))
        {
            yield return batch;
        }
    }

    /// <inheritdoc/>
    public async ValueTask CompactAsync(long revision, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(revision);
        try
        {
            await CallRawAsync(o => _kv.CompactAsync(new CompactionRequest { Revision = revision }, o), cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (EtcdErrors.IsCompacted(e))
        {
            // Done already, by us or by another member.
        }
        catch (RpcException e) when (EtcdErrors.IsFuture(e))
        {
            throw new FutureRevisionException(revision, await CurrentRevisionAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (RpcException e)
        {
            throw EtcdErrors.Translate(e, _options.Endpoint, isWrite: true);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> SizeAsync(CancellationToken cancellationToken) =>
        (await CallAsync(o => _maintenance.StatusAsync(new StatusRequest(), o), false, cancellationToken).ConfigureAwait(false)).DbSize;

    /// <summary>Closes the connection. Watches end with <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _hub?.Close(new ObjectDisposedException(nameof(EtcdStore)));
        await _closing.CancelAsync().ConfigureAwait(false);
        await _feeding.ConfigureAwait(false);
        _leases.Dispose();
        _channel.Dispose();
        _closing.Dispose();
    }

    async IAsyncEnumerable<StoreWatchBatch> IReplaySource.ReplayAsync(
        string prefix, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The last change that the feed has seen proves, when it comes by, that all before it has come too.
        var last = _feed.LastEvent;
        if (from > last)
        {
            yield break;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ReplayPatience);
        await using var batches = _reader.ReadAsync(from, null, patience.Token).GetAsyncEnumerator(patience.Token);
        while (await NextAsync(batches, cancellationToken).ConfigureAwait(false))
        {
            patience.CancelAfter(ReplayPatience);
            var batch = batches.Current;
            var selected = batch.Events.Where(e => e.Entry.ModRevision <= to && e.Entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            if (selected.Count > 0)
            {
                yield return new StoreWatchBatch(Math.Min(batch.Revision, to), selected);
            }

            if (batch.LastEvent > to || batch.LastEvent >= last)
            {
                yield break;
            }
        }

        throw new StoreException($"etcd {_options.Endpoint} ended a replay of its history early");
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<EtcdWatchReader.Batch> batches, CancellationToken cancellationToken)
    {
        try
        {
            return await batches.MoveNextAsync().ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw EtcdErrors.Translate(e, _options.Endpoint, isWrite: false);
        }
    }

    private Task<TxnResponse> TxnAsync(ByteString key, long expected, RequestOp write, CancellationToken cancellationToken)
    {
        var txn = new TxnRequest
        {
            Compare = { new Compare { Key = key, Target = Compare.Types.CompareTarget.Mod, Result = Compare.Types.CompareResult.Equal, ModRevision = expected } },
            Success = { write },
            Failure = { new RequestOp { RequestRange = new Wire.RangeRequest { Key = key } } },
        };
        return CallAsync(o => _kv.TxnAsync(txn, o), true, cancellationToken);
    }

    private WriteResult Refused(TxnResponse txn)
    {
        var there = txn.Responses[0].ResponseRange.Kvs;
        return new WriteResult(false, txn.Header.Revision, there.Count == 0 ? null : _keys.ToEntry(there[0]));
    }

    private async Task<long> LeaseAsync(TimeSpan ttl, CancellationToken cancellationToken)
    {
        try
        {
            return await _leases.ForAsync(ttl, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw EtcdErrors.Translate(e, _options.Endpoint, isWrite: false);
        }
    }

    private async Task<long> WriteMarkerAsync(CancellationToken cancellationToken)
    {
        var put = new RequestOp { RequestPut = new Wire.PutRequest { Key = _keys.Marker } };
        var txn = await CallAsync(o => _kv.TxnAsync(new TxnRequest { Success = { put } }, o), true, cancellationToken).ConfigureAwait(false);
        return txn.Header.Revision;
    }

    private async Task<RangeResponse> ReadAsync(Wire.RangeRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await CallRawAsync(o => _kv.RangeAsync(request, o), cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (EtcdErrors.IsFuture(e))
        {
            throw new FutureRevisionException(request.Revision, await CurrentRevisionAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (RpcException e) when (EtcdErrors.IsCompacted(e))
        {
            throw new CompactedException(await FindCompactRevisionAsync(request.Revision, cancellationToken).ConfigureAwait(false));
        }
        catch (RpcException e)
        {
            throw EtcdErrors.Translate(e, _options.Endpoint, isWrite: false);
        }
    }

    /// <summary>A range does not say where the compaction is; a watch from a compacted revision does.</summary>
    private async Task<long> FindCompactRevisionAsync(long compacted, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.CallTimeout);
        try
        {
            await foreach (var _ in _reader.ReadAsync(compacted, null, deadline.Token).ConfigureAwait(false))
            {
                break;
            }
        }
        catch (CompactedException e)
        {
            return e.CompactRevision;
        }
        catch (RpcException)
        {
            // The answer is compacted all the same; only where it starts is not known.
            cancellationToken.ThrowIfCancellationRequested();
        }

        return compacted + 1;
    }

    private async Task<T> CallAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call, bool isWrite, CancellationToken cancellationToken)
    {
        try
        {
            return await CallRawAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw EtcdErrors.Translate(e, _options.Endpoint, isWrite);
        }
    }

    private async Task<T> CallRawAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, typeof(EtcdStore));
        try
        {
            var options = new CallOptions(deadline: _time.GetUtcNow().UtcDateTime + _options.CallTimeout, cancellationToken: cancellationToken);
            return await call(options).ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("cancelled", e, cancellationToken);
        }
    }
}
