using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Kubelet.Probes.Handlers;
using Podhost.Streaming.Hosting;

namespace Podhost.Kubelet.Tests.Probes;

/// <summary>Handlers against a real server on loopback.</summary>
public sealed class HttpProbeTests : IAsyncLifetime
{
    private readonly WebApplication server;
    private RequestDelegate handler = _ => Task.CompletedTask;
    private int port;
    private int tlsPort;
    private int grpcPort;

    public HttpProbeTests() => server = EmbeddedWebHost.Create(
        k =>
        {
            k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http1);
            k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(SelfSigned()));
            k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2);
        },
        context => handler(context),
        NullLoggerFactory.Instance,
        TimeSpan.FromSeconds(1));

    public async ValueTask InitializeAsync()
    {
        await server.StartAsync();
        var ports = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a).Port).ToArray();
        (port, tlsPort, grpcPort) = (ports[0], ports[1], ports[2]);
    }

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(200, ProbeVerdict.Success, "")]
    [InlineData(399, ProbeVerdict.Warning, "Probe terminated redirects, Response body: ")]
    [InlineData(400, ProbeVerdict.Failure, "HTTP probe failed with statuscode: 400")]
    [InlineData(503, ProbeVerdict.Failure, "HTTP probe failed with statuscode: 503")]
    public async Task The_status_decides(int code, object verdict, string output)
    {
        handler = c =>
        {
            c.Response.StatusCode = code;
            return Task.CompletedTask;
        };
        Assert.Equal(new ProbeOutcome((ProbeVerdict)verdict, output), await ProbeAsync(new V1HTTPGetAction()));
    }

    [Fact]
    public async Task The_request_is_upstreams()
    {
        HttpRequest? seen = null;
        var headers = new Dictionary<string, string>();
        handler = c =>
        {
            seen = c.Request;
            headers = c.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString());
            return c.Response.WriteAsync(c.Request.Path + c.Request.QueryString.ToString());
        };
        Assert.Equal("/healthz?a=b%20c", (await ProbeAsync(new V1HTTPGetAction { Path = "healthz?a=b c" })).Output);
        Assert.Equal(
            new() { ["Host"] = $"127.0.0.1:{port}", ["User-Agent"] = "kube-probe/1.36", ["Accept"] = "*/*", ["Connection"] = "close" }, headers);
    }

    [Fact]
    public async Task Headers_of_the_spec_win_and_Host_is_the_host()
    {
        var headers = new Dictionary<string, string>();
        handler = c =>
        {
            headers = c.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString());
            return Task.CompletedTask;
        };
        await ProbeAsync(new V1HTTPGetAction
        {
            HttpHeaders =
            [
                new V1HTTPHeader { Name = "Host", Value = "example.org" }, new V1HTTPHeader { Name = "X-A", Value = "1" },
                new V1HTTPHeader { Name = "user-agent", Value = "" }, new V1HTTPHeader { Name = "Accept", Value = "text/html" },
            ],
        });
        Assert.Equal(new() { ["Host"] = "example.org", ["X-A"] = "1", ["Accept"] = "text/html", ["Connection"] = "close" }, headers);
    }

    [Fact]
    public async Task A_redirect_on_the_same_host_is_followed()
    {
        handler = c =>
        {
            if (c.Request.Path == "/")
            {
                c.Response.Redirect("/there?x=1");
                return Task.CompletedTask;
            }

            return c.Response.WriteAsync("at " + c.Request.Path + c.Request.QueryString);
        };
        Assert.Equal(ProbeOutcome.Success("at /there?x=1"), await ProbeAsync(new V1HTTPGetAction()));
    }

    [Fact]
    public async Task A_redirect_to_another_host_is_a_success_with_a_warning()
    {
        handler = c =>
        {
            c.Response.Redirect("http://192.0.2.1/");
            return c.Response.WriteAsync("moved");
        };
        Assert.Equal(ProbeOutcome.Warning("Probe terminated redirects, Response body: moved"), await ProbeAsync(new V1HTTPGetAction()));
    }

    [Fact]
    public async Task Redirects_in_a_circle_fail()
    {
        handler = c =>
        {
            c.Response.Redirect("/again");
            return Task.CompletedTask;
        };
        Assert.Equal(ProbeOutcome.Failure($"Get \"http://127.0.0.1:{port}/again\": stopped after 10 redirects"), await ProbeAsync(new V1HTTPGetAction()));
    }

    [Fact]
    public async Task A_body_is_read_to_ten_kibibytes()
    {
        handler = c => c.Response.WriteAsync(new string('x', 1_000_000));
        var outcome = await ProbeAsync(new V1HTTPGetAction());
        Assert.Equal((ProbeVerdict.Success, 10 * 1024), (outcome.Verdict, outcome.Output.Length));
    }

    [Fact]
    public async Task Certificates_are_not_verified()
    {
        handler = c => c.Response.WriteAsync(c.Request.Scheme);
        Assert.Equal(ProbeOutcome.Success("https"), await ProbeAsync(new V1HTTPGetAction { Scheme = "HTTPS" }, tlsPort));
    }

    [Fact]
    public async Task A_silent_server_runs_into_the_timeout()
    {
        handler = c => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c.RequestAborted);
        Assert.Equal(
            ProbeOutcome.Failure($"Get \"http://127.0.0.1:{port}/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
            await ProbeAsync(new V1HTTPGetAction(), timeout: 0.2));
    }

    [Fact]
    public async Task A_closed_port_is_refused()
    {
        var closed = ClosedPort();
        Assert.Equal(
            ProbeOutcome.Failure($"Get \"http://127.0.0.1:{closed}/\": dial tcp 127.0.0.1:{closed}: connect: connection refused"),
            await ProbeAsync(new V1HTTPGetAction(), closed));
        Assert.Equal(
            ProbeOutcome.Failure($"dial tcp 127.0.0.1:{closed}: connect: connection refused"),
            await TcpProbe.RunAsync("127.0.0.1", closed, default, default));
        Assert.Equal(ProbeOutcome.Success(), await TcpProbe.RunAsync("127.0.0.1", port, default, default));
    }

    [Theory]
    [InlineData(1, ProbeVerdict.Success, "service healthy")]
    [InlineData(2, ProbeVerdict.Failure, "service unhealthy (responded with \"NOT_SERVING\")")]
    [InlineData(0, ProbeVerdict.Failure, "service unhealthy (responded with \"UNKNOWN\")")]
    public async Task Grpc_health_is_asked_for_the_service(int status, object verdict, string output)
    {
        byte[] request = [];
        handler = async c =>
        {
            Assert.Equal("/grpc.health.v1.Health/Check", c.Request.Path);
            using var body = new MemoryStream();
            await c.Request.Body.CopyToAsync(body);
            request = body.ToArray();
            c.Response.ContentType = "application/grpc";
            c.Response.AppendTrailer("grpc-status", "0");
            await c.Response.Body.WriteAsync(status == 0 ? new byte[5] : [0, 0, 0, 0, 2, 8, (byte)status]);
        };
        Assert.Equal(new ProbeOutcome((ProbeVerdict)verdict, output), await GrpcAsync(grpcPort, "db"));
        Assert.Equal([0, 0, 0, 0, 4, 0x0a, 2, (byte)'d', (byte)'b'], request);
    }

    [Fact]
    public async Task Grpc_failures_are_phrased_as_upstreams()
    {
        handler = c =>
        {
            c.Response.ContentType = "application/grpc";
            c.Response.AppendTrailer("grpc-status", "12");
            c.Response.AppendTrailer("grpc-message", "unknown service");
            return Task.CompletedTask;
        };
        Assert.Equal(
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service", (await GrpcAsync(grpcPort, "")).Output);
        handler = c =>
        {
            c.Response.ContentType = "application/grpc";
            c.Response.AppendTrailer("grpc-status", "1");
            c.Response.AppendTrailer("grpc-message", "no more");
            return Task.CompletedTask;
        };
        Assert.Equal("error: health rpc probe failed: rpc error: code = Canceled desc = no more", (await GrpcAsync(grpcPort, "")).Output);
        var closed = ClosedPort();
        Assert.Equal(
            ProbeOutcome.Failure($"timeout: failed to connect service \"127.0.0.1:{closed}\" within 5s: dial tcp 127.0.0.1:{closed}: connect: connection refused"),
            await GrpcAsync(closed, ""));
    }

    private static Task<ProbeOutcome> GrpcAsync(int port, string service) =>
        GrpcProbe.RunAsync("127.0.0.1", port, service, "kube-probe/1.36", TimeSpan.FromSeconds(5), new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token, default);

    private async Task<ProbeOutcome> ProbeAsync(V1HTTPGetAction action, int? toPort = null, double timeout = 10)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(timeout));
        return await HttpProbe.RunAsync(HttpProbeRequest.Of(action, toPort ?? port, "127.0.0.1", ProbeRunner.UserAgent), deadline.Token, default);
    }

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=nobody", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }
}
