using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Podhost.Runtime.Tests.Images;

/// <summary>A registry that misbehaves as told: everything that a real one does only on a bad day.</summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Dictionary<string, TestImage> _images = [];

    private FakeRegistry(WebApplication app) => _app = app;

    /// <summary>Runs before everything; true when it answered.</summary>
    public Func<HttpContext, Task<bool>> Intercept { get; set; } = _ => Task.FromResult(false);

    /// <summary>Method, path, Authorization and Range of every request.</summary>
    public List<(string Path, string? Authorization, string? Range)> Requests { get; } = [];

    public string Host => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Authority;

    public static async Task<FakeRegistry> StartAsync(Action<Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen ?? (_ => { })));
        var app = builder.Build();
        var registry = new FakeRegistry(app);
        app.Run(registry.HandleAsync);
        await app.StartAsync();
        return registry;
    }

    public void Add(string repository, TestImage image) => _images[repository] = image;

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async Task SendBlobAsync(HttpContext context, byte[] blob, int from, int? breakAfter = null)
    {
        context.Response.StatusCode = from > 0 ? 206 : 200;
        context.Response.ContentLength = blob.Length - from;
        if (from > 0)
        {
            context.Response.Headers.ContentRange = $"bytes {from}-{blob.Length - 1}/{blob.Length}";
        }

        var count = breakAfter ?? blob.Length - from;
        await context.Response.Body.WriteAsync(blob.AsMemory(from, count));
        await context.Response.Body.FlushAsync();
        if (breakAfter is not null)
        {
            context.Abort();
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        lock (Requests)
        {
            Requests.Add((path, context.Request.Headers.Authorization, context.Request.Headers.Range));
        }

        if (await Intercept(context))
        {
            return;
        }

        foreach (var (repository, image) in _images)
        {
            if (path.StartsWith($"/v2/{repository}/manifests/", StringComparison.Ordinal))
            {
                context.Response.ContentType = "application/vnd.oci.image.manifest.v1+json";
                await context.Response.Body.WriteAsync(image.Manifest);
                return;
            }

            if (path.StartsWith($"/v2/{repository}/blobs/", StringComparison.Ordinal) && image.Blobs.TryGetValue(path[(path.LastIndexOf('/') + 1)..], out var blob))
            {
                var range = context.Request.Headers.Range.ToString();
                await SendBlobAsync(context, blob, range.Length > 0 ? int.Parse(range["bytes=".Length..^1]) : 0);
                return;
            }
        }

        context.Response.StatusCode = 404;
    }
}
