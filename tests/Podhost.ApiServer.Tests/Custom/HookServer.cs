using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Podhost.ApiServer.Tests.Custom;

/// <summary>A webhook on a TLS port of loopback with a certificate of its own authority. It answers reviews of any kind.</summary>
internal sealed class HookServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HookServer(WebApplication app, string authority) => (_app, Authority) = (app, authority);

    /// <summary>PEM of the certificate.</summary>
    public string Authority { get; }

    /// <summary>What was asked, in order.</summary>
    public List<JsonObject> Reviews { get; } = [];

    /// <summary>The queries of the calls.</summary>
    public List<string> Queries { get; } = [];

    /// <summary>The port that it listens on.</summary>
    public int Port => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

    /// <summary>Where it listens.</summary>
    public string Url => $"https://localhost:{Port}/hook";

    /// <param name="answer">From a request to the response, without its uid.</param>
    /// <param name="delay">How long an answer takes.</param>
    /// <param name="name">The name that its certificate is for.</param>
    /// <param name="address">Where it listens; null for loopback.</param>
    public static async Task<HookServer> StartAsync(
        Func<JsonObject, JsonObject> answer, TimeSpan delay = default, string name = "localhost", IPAddress? address = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(address ?? IPAddress.Loopback, 0, l => l.UseHttps(certificate)));
        var app = builder.Build();
        var server = new HookServer(app, certificate.ExportCertificatePem());
        app.Run(http => server.AnswerAsync(http, answer, delay));
        await app.StartAsync();
        return server;
    }

    /// <summary>clientConfig of the server.</summary>
    public string ClientConfig() => $$"""{"url":"{{Url}}","caBundle":"{{Convert.ToBase64String(Encoding.ASCII.GetBytes(Authority))}}"}""";

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http, Func<JsonObject, JsonObject> answer, TimeSpan delay)
    {
        var review = (await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted))!.AsObject();
        lock (Reviews)
        {
            Reviews.Add(review);
            Queries.Add(http.Request.QueryString.Value!.TrimStart('?'));
        }

        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, TimeProvider.System, http.RequestAborted);
        }

        var response = answer(review["request"]!.AsObject());
        response["uid"] = review["request"]!["uid"]!.GetValue<string>();
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(new JsonObject
        {
            ["kind"] = review["kind"]!.GetValue<string>(),
            ["apiVersion"] = review["apiVersion"]!.GetValue<string>(),
            ["response"] = response,
        }.ToJsonString());
    }
}
