using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Streaming.Hosting;
using Podhost.Streaming.Proxy;

namespace Podhost.Streaming.Tests.Proxy;

/// <summary>The proxy between raw sockets, so that every byte on both sides is seen.</summary>
public sealed class UpgradeProxyTests : IAsyncLifetime
{
    private static readonly CancellationToken Deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
    private readonly TcpListener backend = new(IPAddress.Loopback, 0);
    private WebApplication front = null!;
    private Uri frontUrl = null!;
    private Uri target = null!;

    public async ValueTask InitializeAsync()
    {
        backend.Start();
        target = new Uri($"http://127.0.0.1:{((IPEndPoint)backend.LocalEndpoint).Port}/exec/token?a=b%20c");
        var proxy = new UpgradeProxy(TimeProvider.System);
        front = EmbeddedWebHost.Create(
            k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http1),
            context => proxy.ProxyAsync(context, target, null, new Dictionary<string, string> { ["X-Extra"] = "1" }, CancellationToken.None),
            NullLoggerFactory.Instance,
            TimeSpan.FromSeconds(1));
        await front.StartAsync();
        frontUrl = new Uri(front.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async ValueTask DisposeAsync()
    {
        await front.StopAsync();
        await front.DisposeAsync();
        backend.Dispose();
    }

    [Fact]
    public async Task An_upgraded_connection_is_copied_both_ways()
    {
        using var client = await SendAsync(
            "POST /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n" +
            "X-Stream-Protocol-Version: v3.channel.k8s.io\r\nAuthorization: Bearer secret\r\nCookie: a=b\r\nContent-Length: 0\r\n\r\n");
        using var server = await backend.AcceptTcpClientAsync(Deadline);
        var request = await ReadHeadAsync(server.GetStream());
        Assert.StartsWith("POST /exec/token?a=b%20c HTTP/1.1\r\nHost: " + target.Authority + "\r\n", request);
        Assert.Contains("X-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io\r\n", request);
        Assert.Contains("X-Extra: 1\r\n", request);
        Assert.DoesNotContain("secret", request);
        Assert.DoesNotContain("Cookie", request);

        // The first bytes of the stream ride in the same packet as the head.
        await server.GetStream().WriteAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nearly"u8.ToArray());
        var answer = await ReadHeadAsync(client.GetStream());
        Assert.StartsWith("HTTP/1.1 101 ", answer);
        Assert.Contains("Upgrade: SPDY/3.1\r\n", answer);
        Assert.Contains("X-Stream-Protocol-Version: v4.channel.k8s.io\r\n", answer);
        Assert.Equal("early", await ReadAsync(client.GetStream(), 5));
        await client.GetStream().WriteAsync("ping"u8.ToArray());
        Assert.Equal("ping", await ReadAsync(server.GetStream(), 4));

        // The server's last words arrive before its end does.
        await server.GetStream().WriteAsync("last words"u8.ToArray());
        server.Close();
        Assert.Equal("last words", await ReadAsync(client.GetStream(), 10));
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Deadline));
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-A: b\r\n\r\ndenied")]
    [InlineData("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nden\r\n3;x=y\r\nied\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 403 Forbidden\r\nX-A: b\r\n\r\ndenied")]
    public async Task Any_other_answer_is_relayed_with_its_body(string answer)
    {
        using var http = new HttpClient();
        var sending = http.SendAsync(UpgradeRequest(), Deadline);
        using (var server = await backend.AcceptTcpClientAsync(Deadline))
        {
            await ReadHeadAsync(server.GetStream());
            await server.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
        }

        using var response = await sending;
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("b", Assert.Single(response.Headers.GetValues("X-A")));
        Assert.Equal("denied", await response.Content.ReadAsStringAsync(Deadline));
    }

    [Fact]
    public async Task A_bearer_token_among_the_subprotocols_stays_here()
    {
        using var client = await SendAsync(
            "GET /x HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io\r\n\r\n");
        using var server = await backend.AcceptTcpClientAsync(Deadline);
        var request = await ReadHeadAsync(server.GetStream());
        Assert.Contains("Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n", request);
        Assert.DoesNotContain("c2VjcmV0", request);
    }

    [Fact]
    public async Task A_server_that_is_away_is_a_bad_gateway()
    {
        backend.Stop();
        using var http = new HttpClient();
        using var response = await http.SendAsync(UpgradeRequest(), Deadline);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        var status = JsonNode.Parse(await response.Content.ReadAsStringAsync(Deadline))!;
        Assert.Equal("Status", (string?)status["kind"]);
        Assert.Contains("error dialing backend", (string?)status["message"]);
    }

    [Theory]
    [InlineData("garbage\r\n\r\n")]
    [InlineData("HTTP/1.1 101 x\r\nNo colon\r\n\r\n")]
    [InlineData("")]
    public async Task A_malformed_answer_is_a_bad_gateway(string answer)
    {
        using var http = new HttpClient();
        var sending = http.SendAsync(UpgradeRequest(), Deadline);
        using (var server = await backend.AcceptTcpClientAsync(Deadline))
        {
            await ReadHeadAsync(server.GetStream());
            await server.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
        }

        using var response = await sending;
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Fact]
    public async Task A_request_without_upgrade_is_refused()
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync(frontUrl, Deadline);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("Upgrade request required", await response.Content.ReadAsStringAsync(Deadline));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_server_sees_a_client_that_vanishes(bool withReset)
    {
        using var client = await SendAsync("GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
        using var server = await backend.AcceptTcpClientAsync(Deadline);
        await ReadHeadAsync(server.GetStream());
        await server.GetStream().WriteAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"u8.ToArray());
        await ReadHeadAsync(client.GetStream());
        if (withReset)
        {
            client.Client.LingerState = new LingerOption(true, 0);
        }

        client.Close();
        try
        {
            Assert.Equal(0, await server.GetStream().ReadAsync(new byte[1], Deadline));
        }
        catch (IOException)
        {
            // A reset tells it as well.
        }
    }

    private HttpRequestMessage UpgradeRequest()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, frontUrl);
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("SPDY/3.1");
        return request;
    }

    private async Task<TcpClient> SendAsync(string request)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, frontUrl.Port, Deadline);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Deadline);
        return client;
    }

    private static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append(await ReadAsync(stream, 1));
        }

        return head.ToString();
    }

    private static async Task<string> ReadAsync(Stream stream, int count)
    {
        var buffer = new byte[count];
        await stream.ReadExactlyAsync(buffer, Deadline);
        return Encoding.ASCII.GetString(buffer);
    }
}
