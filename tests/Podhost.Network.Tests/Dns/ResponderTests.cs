using System.Net;
using CsCheck;
using Podhost.Network.Dns.Answers;
using Podhost.Network.Dns.Wire;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Tests.Dns;

/// <summary>The names of the specification: what each question is answered, and what it is not.</summary>
public sealed class ResponderTests
{
    private static readonly string[] s_pieces =
        ["web", "db", "shop", "svc", "pod", "cluster", "local", "_tcp", "_http", "_", "a.b", "in-addr", "arpa", "10", "96", "ip6", "-", "--", "é"];

    private readonly Responder _responder = new(new ZoneLookup(Zones.Options));

    [Theory]
    [InlineData("web.shop.svc.cluster.local", "A", "10.96.1.1")]
    [InlineData("web.shop.svc.cluster.local", "AAAA", "NODATA")]
    [InlineData("_http._tcp.web.shop.svc.cluster.local", "SRV", "0 100 80 web.shop.svc.cluster.local.")]
    [InlineData("_dns._udp.web.shop.svc.cluster.local", "SRV", "0 100 53 web.shop.svc.cluster.local.")]
    [InlineData("_http._udp.web.shop.svc.cluster.local", "SRV", "NXDOMAIN")]
    [InlineData("_http._tcp.web.shop.svc.cluster.local", "A", "NODATA")]
    [InlineData("_tcp.web.shop.svc.cluster.local", "SRV", "NODATA")]
    [InlineData("_sctp.web.shop.svc.cluster.local", "SRV", "NXDOMAIN")]
    [InlineData("_tcp.plain.shop.svc.cluster.local", "SRV", "NXDOMAIN")] // an unnamed port has no SRV record
    [InlineData("10-85-0-9.web.shop.svc.cluster.local", "A", "10.85.0.9")]
    [InlineData("db.shop.svc.cluster.local", "A", "10.85.0.5 10.85.0.2 10.85.0.3")]
    [InlineData("db-0.db.shop.svc.cluster.local", "A", "10.85.0.2")]
    [InlineData("db-0.db.shop.svc.cluster.local", "AAAA", "NODATA")]
    [InlineData("db-2.db.shop.svc.cluster.local", "A", "NXDOMAIN")] // not ready
    [InlineData("10-85-0-5.db.shop.svc.cluster.local", "A", "10.85.0.5")]
    [InlineData("_sql._tcp.db.shop.svc.cluster.local", "SRV", "0 33 5433 10-85-0-5.db.shop.svc.cluster.local. 0 33 5433 db-0.db.shop.svc.cluster.local. 0 33 5433 db-1.db.shop.svc.cluster.local.")]
    [InlineData("noports.shop.svc.cluster.local", "A", "10.85.0.7")]
    [InlineData("empty.shop.svc.cluster.local", "A", "NXDOMAIN")] // specification 2.4.1
    [InlineData("six.shop.svc.cluster.local", "AAAA", "fd00::1")]
    [InlineData("six.shop.svc.cluster.local", "A", "NODATA")]
    [InlineData("WEB.Shop.SVC.Cluster.Local", "A", "10.96.1.1")]
    [InlineData("no.shop.svc.cluster.local", "A", "NXDOMAIN")]
    [InlineData("a.b.c.web.shop.svc.cluster.local", "A", "NXDOMAIN")]
    [InlineData("shop.svc.cluster.local", "A", "NODATA")]
    [InlineData("bare.svc.cluster.local", "A", "NODATA")]
    [InlineData("nowhere.svc.cluster.local", "A", "NXDOMAIN")]
    [InlineData("svc.cluster.local", "A", "NODATA")]
    [InlineData("cluster.local", "A", "NODATA")]
    [InlineData("cluster.local", "NS", "ns.dns.cluster.local.")]
    [InlineData("ns.dns.cluster.local", "A", "10.96.0.10")]
    [InlineData("dns-version.cluster.local", "TXT", "05312e312e30")]
    [InlineData("dns-version.cluster.local", "A", "NODATA")]
    [InlineData("web.cluster.local", "A", "NXDOMAIN")]
    [InlineData("10-85-0-2.shop.pod.cluster.local", "A", "10.85.0.2")]
    [InlineData("10-85-0-2.nowhere.pod.cluster.local", "A", "NXDOMAIN")]
    [InlineData("10-85-0-256.shop.pod.cluster.local", "A", "NXDOMAIN")]
    [InlineData("fd00--2.shop.pod.cluster.local", "AAAA", "fd00::2")]
    [InlineData("1.1.96.10.in-addr.arpa", "PTR", "web.shop.svc.cluster.local.")]
    [InlineData("2.0.85.10.in-addr.arpa", "PTR", "db-0.db.shop.svc.cluster.local.")]
    [InlineData("5.0.85.10.in-addr.arpa", "PTR", "NXDOMAIN")] // without a hostname
    [InlineData("1.1.96.10.in-addr.arpa", "A", "NODATA")]
    [InlineData("0.85.10.in-addr.arpa", "PTR", "NODATA")]
    [InlineData("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", "PTR", "s.six.shop.svc.cluster.local.")]
    [InlineData("8.8.8.8.in-addr.arpa", "PTR", "FORWARD 8.8.8.8.in-addr.arpa.")]
    [InlineData("www.example.com", "A", "FORWARD www.example.com.")]
    [InlineData("inside.shop.svc.cluster.local", "A", "web.shop.svc.cluster.local. 10.96.1.1")]
    [InlineData("inside.shop.svc.cluster.local", "CNAME", "web.shop.svc.cluster.local.")]
    [InlineData("outside.shop.svc.cluster.local", "AAAA", "outside.shop.svc.cluster.local. FORWARD www.example.com.")]
    [InlineData("ring-a.shop.svc.cluster.local", "A", "SERVFAIL")]
    [InlineData("web.shop.svc.cluster.local", "AXFR", "REFUSED")]
    [InlineData("web.shop.svc.cluster.local", "ANY", "075246433834383200")]
    public void A_question_has_its_answer(string name, string type, string expected) => Assert.Equal(expected, Ask(Zones.Shop(), name, type));

    [Fact]
    public void A_denial_says_how_long_it_may_be_kept_and_which_zone_denies()
    {
        foreach (var (name, apex) in new[] { ("no.shop.svc.cluster.local", "cluster.local."), ("9.9.97.10.in-addr.arpa", "97.10.in-addr.arpa."), ("9.9.85.10.in-addr.arpa", "85.10.in-addr.arpa.") })
        {
            var reply = _responder.Resolve(Query(name, "A"), Zones.Shop()).Reply!;
            var soa = Assert.Single(reply.Authorities);
            Assert.Equal((DnsCode.NXDomain, DnsType.Soa, 5u, apex), (reply.Code, soa.Type, soa.Ttl, soa.Name.ToString()));
            Assert.Equal([0, 0, 0, 5], soa.Data.Suffix[^4..]);
        }
    }

    [Fact]
    public void Srv_answers_bring_the_addresses_of_their_targets()
    {
        var reply = _responder.Resolve(Query("_sql._tcp.db.shop.svc.cluster.local", "SRV"), Zones.Shop()).Reply!;
        Assert.Contains("db-0.db.shop.svc.cluster.local. 10.85.0.2", reply.Additionals.Select(r => $"{r.Name} {r.Data.Address}"));
    }

    [Fact]
    public void Clients_begin_at_different_addresses()
    {
        var first = Enumerable.Range(0, 3).Select(id =>
            _responder.Resolve(Query("db.shop.svc.cluster.local", "A") with { Id = (ushort)id }, Zones.Shop()).Reply!.Answers[0].Data.Address.ToString());
        Assert.Equal(["10.85.0.2", "10.85.0.3", "10.85.0.5"], first.Order());
    }

    [Fact]
    public void An_answer_repeats_the_case_of_its_question()
    {
        var query = Query("wEb.sHop.svc.cLuster.local", "A");
        var answer = MessageReader.ReadAnswer(MessageWriter.Reply(query, _responder.Resolve(query, Zones.Shop()).Reply!, 512))!;
        Assert.Equal("wEb.sHop.svc.cLuster.local.", answer.Question.Name.ToString());
        Assert.Equal("wEb.sHop.svc.cLuster.local.", answer.Answers[0].Name.ToString());
    }

    [Fact]
    public void An_unknown_version_of_edns_and_a_class_other_than_the_internet_are_refused()
    {
        var query = Query("web.shop.svc.cluster.local", "A");
        Assert.Equal(DnsCode.BadVers, _responder.Resolve(query with { Edns = new Edns(1232, 1, false) }, Zones.Shop()).Reply!.Code);
        Assert.Equal(DnsCode.Refused, _responder.Resolve(query with { Question = query.Question with { Class = 3 } }, Zones.Shop()).Reply!.Code);
    }

    [Fact]
    public void No_name_makes_it_fail() => Gen.Select(
        Gen.Int[0, s_pieces.Length - 1].Array[0, 9], Gen.UShort)
        .Sample((labels, type) =>
        {
            if (DnsName.FromLabels(labels.Select(l => s_pieces[l])) is { } name)
            {
                var resolution = _responder.Resolve(new DnsQuery(1, DnsFlags.None, new DnsQuestion(name, (DnsType)type, 1), null), Zones.Shop());
                Assert.True(resolution.Reply is null != resolution.Forward is null);
            }
        });

    [Fact]
    public void What_a_service_was_is_forgotten_when_it_changes_or_goes()
    {
        var moved = Zones.Shop().With("shop", "web", ServiceEntry.Of(Zones.Service("web", "10.96.3.3"), []));
        Assert.Equal("10.96.3.3", Ask(moved, "web.shop.svc.cluster.local", "A"));
        Assert.Equal("NXDOMAIN", Ask(moved, "1.1.96.10.in-addr.arpa", "PTR"));
        var gone = moved.With("shop", "web", null);
        Assert.Equal("NXDOMAIN", Ask(gone, "web.shop.svc.cluster.local", "A"));
        Assert.Equal("NXDOMAIN", Ask(gone, "3.3.96.10.in-addr.arpa", "PTR"));
        Assert.Equal("10.96.1.1", Ask(Zones.Shop(), "web.shop.svc.cluster.local", "A"));
    }

    private string Ask(Zone zone, string name, string type)
    {
        var resolution = _responder.Resolve(Query(name, type), zone);
        if (resolution.Reply is not { } reply)
        {
            return string.Join(' ', [.. resolution.Before.Select(r => r.Name.ToString()), $"FORWARD {resolution.Forward!.Name}"]);
        }

        return reply switch
        {
            { Code: DnsCode.NXDomain } => "NXDOMAIN",
            { Code: DnsCode.NoError, Answers: [], Authorities: [{ Type: DnsType.Soa }] } => "NODATA",
            { Code: DnsCode.NoError } => string.Join(' ', reply.Answers.Select(Text)),
            _ => reply.Code.ToString().ToUpperInvariant(),
        };
    }

    // Number 0: answers are in the snapshot's order.
    private static DnsQuery Query(string name, string type) =>
        new(0, DnsFlags.RecursionDesired, new DnsQuestion(DnsName.Parse(name)!, Enum.Parse<DnsType>(type, ignoreCase: true), 1), null);

    private static string Text(DnsRecord record) => record.Type switch
    {
        DnsType.A or DnsType.Aaaa => new IPAddress(record.Data.Prefix).ToString(),
        DnsType.Srv => $"{string.Join(' ', record.Data.Prefix.Chunk(2).Select(c => (c[0] << 8) | c[1]))} {record.Data.Names[0]}",
        DnsType.Txt or DnsType.HInfo => Convert.ToHexString(record.Data.Prefix).ToLowerInvariant(),
        _ => record.Data.Names[0].ToString(),
    };
}
