using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Streaming.Hosting;
using Podhost.Streaming.Proxy;
using Podhost.Streaming.Server;

namespace Podhost.Streaming.Tests.Support;

/// <summary>Just enough of an API server for kubectl exec, attach and port-forward of one pod; streams go through the real proxy.</summary>
internal sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly StreamingServer streaming;
    private readonly UpgradeProxy proxy = new(TimeProvider.System);
    private readonly StreamTranslator translator = new(TimeProvider.System, NullLoggerFactory.Instance);

    private FakeApiServer(StreamingServer streaming)
    {
        this.streaming = streaming;
        app = EmbeddedWebHost.Create(k => k.Listen(IPAddress.Loopback, 0), HandleAsync, NullLoggerFactory.Instance, TimeSpan.FromSeconds(1));
    }

    /// <summary>What the clients asked to upgrade to.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<string> Upgrades { get; } = new();

    public string Url { get; private set; } = "";

    /// <summary>The same server; its WebSocket sessions reach the streaming server as SPDY.</summary>
    public string TranslatedUrl => Url + TranslatedPrefix;

    private const string TranslatedPrefix = "/translated";

    public static async Task<FakeApiServer> StartAsync(StreamingServer streaming)
    {
        var server = new FakeApiServer(streaming);
        await server.app.StartAsync();
        server.Url = server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var translated = context.Request.Path.StartsWithSegments(TranslatedPrefix, out var rest);
        var path = translated ? rest.Value! : context.Request.Path.Value!;
        var json = path switch
        {
            "/version" => """{"major":"1","minor":"36","gitVersion":"v1.36.0"}""",
            "/api" => """{"kind":"APIVersions","versions":["v1"]}""",
            "/apis" => """{"kind":"APIGroupList","apiVersion":"v1","groups":[]}""",
            "/api/v1" => """{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list"]},{"name":"pods/exec","singularName":"","namespaced":true,"kind":"PodExecOptions","verbs":["create","get"]}]}""",
            "/api/v1/namespaces/default/pods/web" => """{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default","uid":"u1"},"spec":{"containers":[{"name":"app","image":"i","stdin":true,"ports":[{"containerPort":80}]}]},"status":{"phase":"Running"}}""",
            _ => null,
        };
        if (json is not null)
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(json);
            return;
        }

        if (SessionUrl(context.Request, path.Split('/')[^1]) is not { } url)
        {
            context.Response.StatusCode = 404;
            return;
        }

        Upgrades.Enqueue(context.Request.Headers.Upgrade.ToString());
        if (translated)
        {
            await TranslateAsync(context, path.Split('/')[^1], new Uri(url));
            return;
        }

        await proxy.ProxyAsync(context, new Uri(url), null, null, CancellationToken.None);
    }

    private Task TranslateAsync(HttpContext context, string kind, Uri url)
    {
        var query = context.Request.Query;
        bool Flag(string name) => query[name] == "true";
        return kind == "portforward"
            ? translator.PortForwardAsync(context, url, [.. query["ports"].Select(p => int.Parse(p!))], context.RequestAborted)
            : translator.RemoteCommandAsync(context, url, new SessionStreamSet(Flag("tty"), Flag("stdin"), Flag("stdout"), Flag("stderr")), context.RequestAborted);
    }

    private string? SessionUrl(HttpRequest request, string kind)
    {
        var query = request.Query;
        return kind switch
        {
            "exec" => streaming.GetExec("c1", [.. query["command"].Select(c => c!)], Flag("tty"), Flag("stdin"), Flag("stdout"), Flag("stderr")),
            "attach" => streaming.GetAttach("c1", Flag("tty"), Flag("stdin"), Flag("stdout"), Flag("stderr")),
            "portforward" => streaming.GetPortForward("s1", [.. query["ports"].Select(p => int.Parse(p!))]),
            _ => null,
        };

        bool Flag(string name) => query[name] == "true";
    }
}
