using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Podhost.Configuration;

namespace Podhost.Images;

/// <summary>The unix socket (mode 0600) on which <c>podhost image</c> reaches the images of a running instance.</summary>
internal sealed class ControlSocket : IAsyncDisposable
{
    private const int QueuedSteps = 256;
    private readonly WebApplication _app;
    private readonly IImageTool _images;

    private ControlSocket(WebApplication app, IImageTool images)
    {
        _app = app;
        _images = images;
    }

    public static string PathOf(PodhostOptions options) => Path.Combine(options.RunDir, "control.sock");

    public static async Task<ControlSocket> StartAsync(PodhostOptions options, IImageTool images, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        var path = PathOf(options);
        File.Delete(path);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "podhost" });
        builder.Services.Replace(ServiceDescriptor.Singleton(logs));
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime>(new NoLifetime()));
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(path));
        var socket = new ControlSocket(builder.Build(), images);
        socket._app.Run(socket.HandleAsync);
        await socket._app.StartAsync(cancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return socket;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private Task HandleAsync(HttpContext http)
    {
        var query = http.Request.Query;
        return (http.Request.Method, http.Request.Path.Value) switch
        {
            ("GET", "/images") => ListAsync(http),
            ("DELETE", "/images") => StreamAsync(http, async _ =>
            {
                await _images.RemoveAsync(query["reference"].ToString(), http.RequestAborted);
                return [];
            }),
            ("POST", "/images/pull") => StreamAsync(http, step => _images.PullAsync(query["reference"].ToString(), step, http.RequestAborted)),
            ("POST", "/images/load") => StreamAsync(http, step => _images.LoadAsync(query["path"].ToString(), Name(query), step, http.RequestAborted)),
            _ => NotFoundAsync(http),
        };
    }

    private async Task ListAsync(HttpContext http)
    {
        var images = await _images.ListAsync(http.RequestAborted);
        http.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(http.Response.Body, [.. images], ImageJson.Default.ListImageLine, http.RequestAborted);
    }

    // Steps may come faster than a terminal reads: old ones are dropped, the outcome never.
    private static async Task StreamAsync(HttpContext http, Func<Action<ImageStep>, Task<IReadOnlyList<string>>> work)
    {
        var steps = Channel.CreateBounded<ImageStep>(new BoundedChannelOptions(QueuedSteps) { FullMode = BoundedChannelFullMode.DropOldest });
        http.Response.ContentType = "application/x-ndjson";
        var writing = WriteStepsAsync(http, steps.Reader);
        ImageEvent outcome;
        try
        {
            outcome = new ImageEvent(Done: await work(step => steps.Writer.TryWrite(step)));
        }
        catch (ImageToolException e)
        {
            outcome = new ImageEvent(Error: e.Message);
        }

        steps.Writer.Complete();
        await writing;
        await WriteAsync(http, outcome);
    }

    private static async Task WriteStepsAsync(HttpContext http, ChannelReader<ImageStep> steps)
    {
        await foreach (var step in steps.ReadAllAsync(http.RequestAborted))
        {
            await WriteAsync(http, new ImageEvent(step));
        }
    }

    private static async Task WriteAsync(HttpContext http, ImageEvent line)
    {
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, ImageJson.Default.ImageEvent), http.RequestAborted);
        await http.Response.Body.WriteAsync("\n"u8.ToArray(), http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    private static string? Name(IQueryCollection query) => query["name"].ToString() is { Length: > 0 } name ? name : null;

    private static Task NotFoundAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
