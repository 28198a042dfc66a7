using System.Net;
using CsCheck;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Tests.Dns;

/// <summary>The codec: what is written is read back, and no bytes of a stranger do more than be refused.</summary>
public sealed class WireTests
{
    private static readonly Gen<DnsName> Names = Gen.String[Gen.Char["abcXYZ019-_"], 1, 63].Array[0, 8]
        .Select(DnsName.FromLabels).Where(n => n is not null).Select(n => n!);

    private static readonly Gen<DnsRecord> Records = Gen.Select(Names, Names, Gen.UInt, Gen.Int[0, 6], Gen.Byte.Array[0, 40]).Select((name, other, ttl, kind, bytes) => kind switch
    {
        0 => new DnsRecord(name, DnsType.A, ttl, DnsData.Of(new IPAddress(ttl))),
        1 => new DnsRecord(name, DnsType.CName, ttl, DnsData.Of(other)),
        2 => new DnsRecord(name, DnsType.Srv, ttl, DnsData.Service(1, 2, 3, other)),
        3 => new DnsRecord(name, DnsType.Soa, ttl, DnsData.Authority(other, name, 1, 2, 3, 4, 5)),
        4 => new DnsRecord(name, DnsType.MX, ttl, new DnsData([0, 10], [other], [])),
        5 => new DnsRecord(name, DnsType.Ptr, ttl, DnsData.Of(other)),
        _ => new DnsRecord(name, DnsType.Txt, ttl, new DnsData(bytes, [], [])),
    });

    private static readonly Gen<DnsQuery> Queries = Gen.Select(Gen.UShort, Names, Gen.Bool, Gen.Bool).Select((id, name, edns, recursion) => new DnsQuery(
        id, recursion ? DnsFlags.RecursionDesired : DnsFlags.None, new DnsQuestion(name, DnsType.A, 1), edns ? new Edns(MessageWriter.UdpSize, 0, recursion) : null));

    [Fact]
    public void What_is_written_is_read() => Gen.Select(Queries, Records.Array[0, 6], Records.Array[0, 3], Records.Array[0, 3]).Sample((query, answers, authorities, additionals) =>
    {
        var message = MessageWriter.Reply(query, new DnsReply(DnsCode.NXDomain, DnsFlags.Authoritative, answers, authorities, additionals), MessageWriter.MaxMessage);
        var read = MessageReader.ReadAnswer(message)!;
        Assert.Equal((query.Id, query.Question, DnsCode.NXDomain), (read.Id, read.Question, read.Code));
        Assert.Equal(answers.Select(Text), read.Answers.Select(Text));
        Assert.Equal(authorities.Select(Text), read.Authorities.Select(Text));
        Assert.Equal(additionals.Select(Text), read.Additionals.Select(Text));
    });

    [Fact]
    public void A_query_is_read_as_it_was_written_in_its_own_case() => Queries.Sample(query =>
    {
        var read = MessageReader.ReadQuery(MessageWriter.Query(query), out var malformed)!;
        Assert.Null(malformed);
        Assert.Equal(query, read);
        Assert.True(query.Question.Name.Wire.SequenceEqual(read.Question.Name.Wire));
    });

    [Fact]
    public void An_answer_keeps_to_its_limit_and_says_when_something_is_missing() =>
        Gen.Select(Queries, Records.Array[0, 60], Gen.Int[512, 1232]).Sample((query, answers, limit) =>
        {
            var message = MessageWriter.Reply(query, new DnsReply(DnsCode.NoError, DnsFlags.None, answers, [], []), limit);
            Assert.InRange(message.Length, 12, limit);
            var read = MessageReader.ReadAnswer(message)!;
            Assert.Equal(answers.Take(read.Answers.Count).Select(Text), read.Answers.Select(Text));
            Assert.Equal(read.Answers.Count < answers.Length, read.Flags.HasFlag(DnsFlags.Truncated));
        });

    [Fact]
    public void No_bytes_make_the_reader_fail() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        MessageReader.ReadQuery(bytes, out _);
        MessageReader.ReadAnswer(bytes);
    });

    [Fact]
    public void No_change_of_a_message_makes_the_reader_fail() =>
        Gen.Select(Queries, Records.Array[0, 4], Gen.Select(Gen.Int[0, 400], Gen.Byte).Array[1, 5]).Sample((query, answers, changes) =>
        {
            var message = MessageWriter.Reply(query, new DnsReply(DnsCode.NoError, DnsFlags.None, answers, [], []), MessageWriter.MaxMessage);
            foreach (var (at, value) in changes)
            {
                message[at % message.Length] = value;
            }

            MessageReader.ReadQuery(message, out _);
            MessageReader.ReadAnswer(message);
        });

    [Theory]
    [InlineData("c00c")] // at itself
    [InlineData("c00e0000c00c")] // forward
    [InlineData("01 61 c00c")] // at the name that it is a part of
    [InlineData("40")] // a kind of label that does not exist
    [InlineData("05 6161")] // longer than the message
    public void A_name_that_leads_nowhere_is_a_format_error(string name)
    {
        byte[] message = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. Convert.FromHexString(name.Replace(" ", "", StringComparison.Ordinal)), 0, 1, 0, 1];
        Assert.Null(MessageReader.ReadQuery(message, out var malformed));
        Assert.Equal(DnsCode.FormErr, malformed!.Code);
    }

    [Fact]
    public void An_answer_sent_to_a_server_deserves_none()
    {
        byte[] message = [0, 7, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
        Assert.Null(MessageReader.ReadQuery(message, out var malformed));
        Assert.Null(malformed);
    }

    private static string Text(DnsRecord r) =>
        $"{r.Name} {r.Type} {r.Ttl} {Convert.ToHexString(r.Data.Prefix)} {string.Join(' ', r.Data.Names)} {Convert.ToHexString(r.Data.Suffix)}".ToLowerInvariant();
}
