using Podhost.Network.Dns.Answers;
using Podhost.Network.Dns.Upstream;
using Podhost.Network.Dns.Wire;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Dns.Server;

/// <summary>From a message to its answer, over either transport.</summary>
/// <param name="zone">The newest snapshot.</param>
/// <param name="responder">Decides.</param>
/// <param name="forwarder">Asks others.</param>
internal sealed class QueryHandler(Func<Zone> zone, Responder responder, Forwarder forwarder)
{
    /// <summary>
    /// Handles a message. An answer from the snapshot is there at once; one that others are asked for later. Null (or a null answer): it deserves none.
    /// </summary>
    public ValueTask<byte[]?> HandleAsync(ReadOnlySpan<byte> message, bool tcp, CancellationToken stop)
    {
        if (MessageReader.ReadQuery(message, out var malformed) is not { } query)
        {
            return ValueTask.FromResult(malformed is null ? null : MessageWriter.Reply(malformed));
        }

        var limit = tcp ? MessageWriter.MaxMessage : Math.Min(query.Edns?.UdpSize ?? 512, MessageWriter.UdpSize);
        var resolution = responder.Resolve(query, zone());
        return resolution.Reply is { } reply
            ? ValueTask.FromResult<byte[]?>(MessageWriter.Reply(query, reply, limit))
            : new ValueTask<byte[]?>(ForwardAsync(query, resolution, tcp, limit, stop));
    }

    private async Task<byte[]?> ForwardAsync(DnsQuery query, Resolution resolution, bool tcp, int limit, CancellationToken stop)
    {
        var answer = await forwarder.AskAsync(query with { Question = resolution.Forward! }, tcp, stop);
        var reply = resolution.Before.Count > 0 ? Responder.Complete(resolution.Before, answer)
            : answer is null ? DnsReply.Of(DnsCode.ServFail)
            : new DnsReply(answer.Code, answer.Flags & (DnsFlags.AuthenticData | DnsFlags.Truncated), answer.Answers, answer.Authorities, answer.Additionals);
        return MessageWriter.Reply(query, reply, limit);
    }
}
