using Podhost.Network.Dns.Wire;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Dns.Answers;

/// <summary>What to do about a query: answer it, or ask a nameserver first. Exactly one is set.</summary>
/// <param name="Reply">The whole answer.</param>
/// <param name="Forward">The question for a nameserver.</param>
/// <param name="Before">CNAME records of ours that led to that question; they come first in the answer.</param>
internal sealed record Resolution(DnsReply? Reply, DnsQuestion? Forward, IReadOnlyList<DnsRecord> Before);

/// <summary>Answers queries from a snapshot. Pure.</summary>
/// <param name="lookup">Finds names.</param>
internal sealed class Responder(ZoneLookup lookup)
{
    // An external name may be a Service of ours again; a chain of them that is longer is a ring.
    private const int MaxChain = 8;

    /// <summary>Decides.</summary>
    public Resolution Resolve(DnsQuery query, Zone zone)
    {
        var question = query.Question;
        if (query.Edns is { Version: > 0 })
        {
            return Just(DnsReply.Of(DnsCode.BadVers));
        }

        if (question.Class != DnsQuestion.Internet || question.Type is DnsType.Axfr or DnsType.Ixfr)
        {
            return Just(DnsReply.Of(DnsCode.Refused));
        }

        var node = lookup.Find(zone, question.Name);
        if (question.Type is DnsType.Any or DnsType.Opt)
        {
            return Just(node is null || question.Type == DnsType.Opt ? DnsReply.Of(DnsCode.NotImp) : Any(zone, question, node));
        }

        return Follow(query, zone, node);
    }

    /// <summary>The answer of a nameserver to a question that CNAME records of ours led to; null: there was none.</summary>
    public static DnsReply Complete(IReadOnlyList<DnsRecord> before, DnsAnswer? answer) => answer is { Code: DnsCode.NoError or DnsCode.NXDomain }
        ? new DnsReply(answer.Code, DnsFlags.None, [.. before, .. answer.Answers], answer.Authorities, [])
        : DnsReply.Of(DnsCode.ServFail);

    private Resolution Follow(DnsQuery query, Zone zone, ZoneNode? node)
    {
        var (question, chain) = (query.Question, new List<DnsRecord>());
        while (node is not null)
        {
            if (node.Records.FirstOrDefault(r => r.Type == DnsType.CName) is not { } alias)
            {
                return Just(Answer(query, zone, question.Type, chain, node));
            }

            chain.Add(alias);
            if (question.Type == DnsType.CName)
            {
                return Just(new DnsReply(DnsCode.NoError, DnsFlags.Authoritative, chain, [], []));
            }

            if (chain.Count == MaxChain)
            {
                return Just(DnsReply.Of(DnsCode.ServFail));
            }

            question = question with { Name = alias.Data.Names[0] };
            node = lookup.Find(zone, question.Name);
        }

        return new Resolution(null, question, chain);
    }

    private DnsReply Answer(DnsQuery query, Zone zone, DnsType type, List<DnsRecord> chain, ZoneNode node)
    {
        var records = node.Records.Where(r => r.Type == type).ToList();
        if (records.Count == 0)
        {
            return new DnsReply(node.Exists ? DnsCode.NoError : DnsCode.NXDomain, DnsFlags.Authoritative, chain, [lookup.Authority(zone, node.Apex)], []);
        }

        // Clients take the first: each query begins at another one.
        var start = query.Id % records.Count;
        return new DnsReply(
            DnsCode.NoError, DnsFlags.Authoritative, [.. chain, .. records.Skip(start), .. records.Take(start)], [], type == DnsType.Srv ? node.Extra : []);
    }

    // All records at once serve amplification only; RFC 8482 4.2 says what to send in their place.
    private DnsReply Any(Zone zone, DnsQuestion question, ZoneNode node) => node.Exists
        ? new DnsReply(DnsCode.NoError, DnsFlags.Authoritative, [new DnsRecord(question.Name, DnsType.HInfo, 5, DnsData.HostInfo("RFC8482", ""))], [], [])
        : new DnsReply(DnsCode.NXDomain, DnsFlags.Authoritative, [], [lookup.Authority(zone, node.Apex)], []);

    private static Resolution Just(DnsReply reply) => new(reply, null, []);
}
