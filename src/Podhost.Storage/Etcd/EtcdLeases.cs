using Grpc.Core;
using Podhost.Storage.Etcd.Wire;

namespace Podhost.Storage.Etcd;

/// <summary>
/// Leases for keys with a time to live. A lease costs etcd more than a key, so keys with about the same end share one: a key may live
/// up to a twentieth of its time (at least a second, at most a minute) longer than asked for.
/// </summary>
internal sealed class EtcdLeases(Lease.LeaseClient client, TimeSpan callTimeout, TimeProvider time) : IDisposable
{
    private const int MostKeysALease = 1000;
    private const int MostBuckets = 64;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<TimeSpan, Bucket> _buckets = [];

    internal async Task<long> ForAsync(TimeSpan ttl, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_buckets.TryGetValue(ttl, out var bucket) && bucket.Keys < MostKeysALease && time.GetElapsedTime(bucket.Granted) + ttl <= bucket.Duration)
            {
                bucket.Keys++;
                return bucket.Id;
            }

            var granted = time.GetTimestamp();
            var seconds = (long)Math.Ceiling((ttl + Slack(ttl)).TotalSeconds);
            var lease = await client.LeaseGrantAsync(
                new LeaseGrantRequest { TTL = seconds }, deadline: time.GetUtcNow().UtcDateTime + callTimeout, cancellationToken: cancellationToken).ConfigureAwait(false);
            if (_buckets.Count >= MostBuckets)
            {
                _buckets.Clear();
            }

            _buckets[ttl] = new Bucket(lease.ID, granted, TimeSpan.FromSeconds(lease.TTL)) { Keys = 1 };
            return lease.ID;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Forgets the leases: one that a write was refused with has ended in etcd.</summary>
    internal async Task ForgetAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        _buckets.Clear();
        _gate.Release();
    }

    public void Dispose() => _gate.Dispose();

    private static TimeSpan Slack(TimeSpan ttl) => TimeSpan.FromSeconds(Math.Clamp(ttl.TotalSeconds / 20, 1, 60));

    private sealed record Bucket(long Id, long Granted, TimeSpan Duration)
    {
        internal int Keys { get; set; }
    }
}
