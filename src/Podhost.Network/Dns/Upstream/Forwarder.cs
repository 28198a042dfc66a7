using System.Net.Sockets;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Dns.Upstream;

/// <summary>
/// Asks the node's nameservers, one after the other. The same question of several clients at a time is asked once: so a nameserver that asks us
/// again, however it came to that, waits for itself and ends by the timeout.
/// </summary>
/// <param name="servers">The nameservers.</param>
/// <param name="options">Bounds.</param>
/// <param name="time">The clock.</param>
internal sealed class Forwarder(NameserverList servers, DnsServerOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, Task<DnsAnswer?>> _asked = [];

    private sealed record Key(DnsQuestion Question, bool Tcp, DnsFlags Flags, bool HasEdns, bool DnsSecOk);

    /// <summary>A nameserver's answer; null: none came, or too much is asked already.</summary>
    /// <param name="query">The query; its number is not used.</param>
    /// <param name="tcp">Ask by TCP at once, as the client did.</param>
    /// <param name="stop">Ends the server.</param>
    public Task<DnsAnswer?> AskAsync(DnsQuery query, bool tcp, CancellationToken stop)
    {
        var key = new Key(
            query.Question, tcp, query.Flags & (DnsFlags.RecursionDesired | DnsFlags.CheckingDisabled), query.Edns is not null, query.Edns?.DnsSecOk == true);
        lock (_gate)
        {
            if (_asked.TryGetValue(key, out var asked))
            {
                return asked;
            }

            return _asked.Count >= options.MaxUpstreamQueries ? Task.FromResult<DnsAnswer?>(null) : _asked[key] = AskOnceAsync(key, query, stop);
        }
    }

    private async Task<DnsAnswer?> AskOnceAsync(Key key, DnsQuery query, CancellationToken stop)
    {
        // The task must be in the table before it leaves it.
        await Task.Yield();
        try
        {
            return await AskEachAsync(query, key.Tcp, stop);
        }
        finally
        {
            lock (_gate)
            {
                _asked.Remove(key);
            }
        }
    }

    private async Task<DnsAnswer?> AskEachAsync(DnsQuery query, bool tcp, CancellationToken stop)
    {
        DnsAnswer? failure = null;
        foreach (var server in servers.Current())
        {
            using var patience = new CancellationTokenSource(options.UpstreamTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
            try
            {
                var answer = await Exchange.AskAsync(server, query, tcp, either.Token);
                if (answer.Code is DnsCode.NoError or DnsCode.NXDomain)
                {
                    return answer;
                }

                failure = answer;
            }
            catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !stop.IsCancellationRequested))
            {
                // The next one may know.
            }
        }

        return failure;
    }
}
