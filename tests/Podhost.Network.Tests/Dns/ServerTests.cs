using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Network.Dns;
using Podhost.Network.Dns.Server;
using Podhost.Network.Dns.Upstream;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Tests.Dns;

/// <summary>The server on loopback sockets, with nameservers of the test's own.</summary>
public sealed class ServerTests : IDisposable
{
    private readonly FakeInformer<V1Service> _services = new();
    private readonly FakeInformer<V1EndpointSlice> _slices = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly string _resolvConf = Path.GetTempFileName();
    private readonly List<IDisposable> _parts = [];

    public void Dispose()
    {
        _stop.Cancel();
        _parts.ForEach(p => p.Dispose());
        File.Delete(_resolvConf);
    }

    [Fact]
    public async Task A_change_of_a_service_is_in_the_next_answer()
    {
        var server = Start();
        Assert.Equal(DnsCode.NXDomain, (await AskAsync(server, "web.shop.svc.cluster.local")).Code);
        _slices.Put(Zones.Slice("db", [], ("10.85.0.2", "db-0", true)));
        _services.Put(Zones.Service("web", "10.96.1.1"));
        _services.Put(Zones.Service("db", "None"));
        Assert.Equal("10.96.1.1", Address(await AskAsync(server, "web.shop.svc.cluster.local")));
        Assert.Equal("10.85.0.2", Address(await AskAsync(server, "db.shop.svc.cluster.local")));
        _slices.Remove("shop", "db-1");
        _services.Remove("shop", "web");
        Assert.Equal(DnsCode.NXDomain, (await AskAsync(server, "db.shop.svc.cluster.local")).Code);
        Assert.Equal(DnsCode.NXDomain, (await AskAsync(server, "web.shop.svc.cluster.local")).Code);
    }

    [Fact]
    public async Task What_a_datagram_cannot_hold_comes_over_tcp()
    {
        _services.Put(Zones.Service("many", "None"));
        _slices.Put(Zones.Slice("many", [], [.. Enumerable.Range(1, 200).Select(i => ($"10.85.0.{i}", (string?)null, (bool?)true))]));
        var server = Start();
        var datagram = await AskAsync(server, "many.shop.svc.cluster.local");
        Assert.True(datagram.Flags.HasFlag(DnsFlags.Truncated));
        Assert.InRange(datagram.Answers.Count, 20, 40);
        var large = await AskAsync(server, "many.shop.svc.cluster.local", edns: new Edns(4096, 0, false));
        Assert.InRange(large.Answers.Count, 60, 80);
        var whole = await AskTcpAsync(server, "many.shop.svc.cluster.local");
        Assert.Equal((200, false), (whole.Answers.Count, whole.Flags.HasFlag(DnsFlags.Truncated)));
    }

    [Fact]
    public async Task Other_names_are_asked_of_the_nameservers_and_a_forged_answer_does_not_count()
    {
        var upstream = Upstream("127.0.0.1", 0, (query, _) =>
        [
            Reply(query with { Id = (ushort)(query.Id + 1) }, "6.6.6.6"),
            Reply(query with { Question = query.Question with { Name = DnsName.Parse("evil.example.com")! } }, "6.6.6.6"),
            [1, 2, 3],
            Reply(query, "192.0.2.7"),
        ]);
        var server = Start(upstream.Port, "127.0.0.1");
        var answer = await AskAsync(server, "wWw.eXample.com");
        Assert.Equal(("192.0.2.7", "wWw.eXample.com."), (Address(answer), answer.Question.Name.ToString()));
        Assert.Equal("192.0.2.7", Address(await AskAsync(server, "www.example.com", edns: new Edns(1232, 0, false))));
    }

    [Fact]
    public async Task An_external_name_brings_the_addresses_of_its_target()
    {
        _services.Put(Zones.External("outside", "www.example.com"));
        var upstream = Upstream("127.0.0.1", 0, (query, _) => [Reply(query, "192.0.2.7")]);
        var server = Start(upstream.Port, "127.0.0.1");
        var answer = await AskAsync(server, "outside.shop.svc.cluster.local");
        Assert.Equal([DnsType.CName, DnsType.A], answer.Answers.Select(r => r.Type));
        Assert.Equal("outside.shop.svc.cluster.local.", answer.Answers[0].Name.ToString());
        Assert.Equal("192.0.2.7", answer.Answers[1].Data.Address.ToString());
    }

    [Fact]
    public async Task A_truncated_answer_is_asked_again_over_tcp()
    {
        var upstream = Upstream("127.0.0.1", 0, (query, tcp) => [tcp ? Reply(query, "192.0.2.9") : MessageWriter.Reply(query, new DnsReply(DnsCode.NoError, DnsFlags.Truncated, [], [], []), 512)]);
        Assert.Equal("192.0.2.9", Address(await AskAsync(Start(upstream.Port, "127.0.0.1"), "www.example.com")));
    }

    [Fact]
    public async Task A_nameserver_that_fails_or_is_silent_is_passed_over()
    {
        var last = Upstream("127.0.0.3", 0, (query, _) => [Reply(query, "192.0.2.3")]);
        Upstream("127.0.0.1", last.Port, (query, _) => [MessageWriter.Reply(query, DnsReply.Of(DnsCode.ServFail), 512)]);
        Upstream("127.0.0.2", last.Port, (_, _) => []);
        var server = Start(last.Port, "127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3");
        Assert.Equal("192.0.2.3", Address(await AskAsync(server, "www.example.com")));
    }

    [Fact]
    public async Task Without_an_answer_it_says_so()
    {
        var upstream = Upstream("127.0.0.1", 0, (_, _) => []);
        Assert.Equal(DnsCode.ServFail, (await AskAsync(Start(upstream.Port, "127.0.0.1"), "www.example.com")).Code);
        Assert.Equal(DnsCode.ServFail, (await AskAsync(Start(1, "127.0.0.1"), "www.example.com")).Code);
    }

    [Fact]
    public async Task The_same_question_is_asked_once_at_a_time_and_no_more_than_the_bound()
    {
        var release = new ManualResetEventSlim();
        _parts.Add(release);
        var upstream = Upstream("127.0.0.1", 0, (query, _) =>
        {
            release.Wait(TimeSpan.FromSeconds(20));
            return [Reply(query, "192.0.2.7")];
        });
        var server = Start(upstream.Port, "127.0.0.1", o => o with { MaxUpstreamQueries = 1, UpstreamTimeout = TimeSpan.FromSeconds(20) });
        var (first, second) = (AskAsync(server, "www.example.com"), AskAsync(server, "www.example.com"));
        // Datagrams are handled in order: the other question comes after the first two.
        Assert.Equal(DnsCode.ServFail, (await AskAsync(server, "other.example.com")).Code);
        release.Set();
        Assert.Equal(["192.0.2.7", "192.0.2.7"], [Address(await first), Address(await second)]);
        Assert.Equal(1, upstream.Asked);
    }

    [Fact]
    public void Ourselves_are_no_nameserver() => Assert.Equal(
        [new IPEndPoint(IPAddress.Parse("192.0.2.1"), 53)],
        NameserverList.Parse("# comment\nnameserver 10.96.0.10\nnameserver 192.0.2.1\nnameserver x\n", 53, [new IPEndPoint(IPAddress.Parse("10.96.0.10"), 53)]));

    [Fact]
    public async Task A_stranger_gets_no_answer()
    {
        var server = Start(configure: o => o with { Clients = [IPNetwork.Parse("127.0.0.9/32")] });
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var friend = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
        await stranger.SendAsync(MessageWriter.Query(Query("cluster.local")), server);
        await friend.SendAsync(MessageWriter.Query(Query("cluster.local")), server);
        // They are handled in order: when the second has its answer, the first has none.
        Assert.NotEmpty((await friend.ReceiveAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token)).Buffer);
        Assert.Equal(0, stranger.Available);
    }

    private IPEndPoint Start(int upstreamPort = 1, string nameservers = "127.0.0.1", Func<DnsServerOptions, DnsServerOptions>? configure = null)
    {
        File.WriteAllText(_resolvConf, $"nameserver {nameservers}\n");
        var options = new DnsServerOptions
        {
            Zone = Zones.Options,
            Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)],
            Clients = [IPNetwork.Parse("127.0.0.0/8")],
            ResolvConf = _resolvConf,
            UpstreamPort = upstreamPort,
            UpstreamTimeout = TimeSpan.FromMilliseconds(500),
        };
        var server = Open(configure?.Invoke(options) ?? options);
        _parts.Add(server);
        _ = server.RunAsync(_stop.Token);
        return server.Endpoints[0];
    }

    /// <summary>A port that is free for datagrams may be taken for connections: then another.</summary>
    private DnsServer Open(DnsServerOptions options)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return new DnsServer(options, _services, _slices, new FakeInformer<V1Namespace>(), TimeProvider.System, NullLogger.Instance);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && i < 20)
            {
                // The kernel chose badly.
            }
        }
    }

    private FakeUpstream Upstream(string address, int port, Func<DnsQuery, bool, IEnumerable<byte[]>> answers)
    {
        var upstream = new FakeUpstream(IPAddress.Parse(address), port, answers);
        _parts.Add(upstream);
        return upstream;
    }

    private static async Task<DnsAnswer> AskAsync(IPEndPoint server, string name, Edns? edns = null)
    {
        using var client = new UdpClient();
        await client.SendAsync(MessageWriter.Query(Query(name) with { Edns = edns }), server);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return MessageReader.ReadAnswer((await client.ReceiveAsync(stop.Token)).Buffer)!;
    }

    private static async Task<DnsAnswer> AskTcpAsync(IPEndPoint server, string name)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server);
        await TcpFrame.WriteAsync(client.GetStream(), MessageWriter.Query(Query(name)), CancellationToken.None);
        return MessageReader.ReadAnswer(await TcpFrame.ReadAsync(client.GetStream(), new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token))!;
    }

    private static DnsQuery Query(string name) => new(7, DnsFlags.RecursionDesired, new DnsQuestion(DnsName.Parse(name)!, DnsType.A, 1), null);

    private static byte[] Reply(DnsQuery query, string address) => MessageWriter.Reply(
        query, new DnsReply(DnsCode.NoError, DnsFlags.None, [new DnsRecord(query.Question.Name, DnsType.A, 60, DnsData.Of(IPAddress.Parse(address)))], [], []), 512);

    private static string Address(DnsAnswer answer) => Assert.Single(answer.Answers).Data.Address.ToString();
}
