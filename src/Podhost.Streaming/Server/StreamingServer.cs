using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Podhost.Streaming.Contract;
using Podhost.Streaming.Hosting;

namespace Podhost.Streaming.Server;

/// <summary>
/// Serves exec, attach and port-forward sessions of a container runtime on one-time URLs, as CRI's streaming servers do. The Get methods make
/// a URL for a client that was authorized elsewhere; who has the URL has the session, once, within a minute.
/// </summary>
public sealed partial class StreamingServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly SessionTokens tokens;
    private readonly SessionHandler handler;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private Uri? baseUrl;

    /// <summary>Builds the server; <see cref="StartAsync"/> opens its port.</summary>
    public StreamingServer(IStreamingBackend backend, StreamingServerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        logger = loggers.CreateLogger<StreamingServer>();
        tokens = new SessionTokens(options.TokenLifetime, options.MaxTokens, time);
        handler = new SessionHandler(backend, options, time, logger);
        app = EmbeddedWebHost.Create(
            kestrel => kestrel.Listen(options.Endpoint, listen => listen.Protocols = HttpProtocols.Http1), HandleAsync, loggers, TimeSpan.FromSeconds(2));
    }

    /// <summary>Where the server listens, for example <c>http://127.0.0.1:41234/</c>.</summary>
    /// <exception cref="InvalidOperationException">It was not started.</exception>
    public Uri BaseUrl => baseUrl ?? throw new InvalidOperationException("the streaming server was not started");

    /// <summary>Opens the port.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
        baseUrl = new Uri(addresses.Addresses.First());
        LogStarted(baseUrl);
    }

    /// <summary>A URL that runs a command in a container.</summary>
    /// <exception cref="ArgumentException">The combination of streams is not possible.</exception>
    /// <exception cref="StreamingCapacityException">Too many URLs wait for their clients.</exception>
    public string GetExec(string containerId, IReadOnlyList<string> command, bool tty, bool stdin, bool stdout, bool stderr)
    {
        ArgumentException.ThrowIfNullOrEmpty(containerId);
        ArgumentNullException.ThrowIfNull(command);
        if (command.Count == 0)
        {
            throw new ArgumentException("a command is required", nameof(command));
        }

        CheckStreams(tty, stdin, stdout, stderr);
        return Url("exec", new ExecSession(containerId, [.. command], tty, stdin, stdout, stderr));
    }

    /// <summary>A URL that joins a container's main process.</summary>
    /// <exception cref="ArgumentException">The combination of streams is not possible.</exception>
    /// <exception cref="StreamingCapacityException">Too many URLs wait for their clients.</exception>
    public string GetAttach(string containerId, bool tty, bool stdin, bool stdout, bool stderr)
    {
        ArgumentException.ThrowIfNullOrEmpty(containerId);
        CheckStreams(tty, stdin, stdout, stderr);
        return Url("attach", new AttachSession(containerId, tty, stdin, stdout, stderr));
    }

    /// <summary>A URL that forwards connections to ports of a sandbox.</summary>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="ports">The ports, for clients of the WebSocket channel protocol; may be empty for others.</param>
    /// <exception cref="StreamingCapacityException">Too many URLs wait for their clients.</exception>
    public string GetPortForward(string sandboxId, IReadOnlyList<int> ports)
    {
        ArgumentException.ThrowIfNullOrEmpty(sandboxId);
        ArgumentNullException.ThrowIfNull(ports);
        return Url("portforward", new PortForwardSession(sandboxId, [.. ports]));
    }

    /// <summary>Closes the port and ends the sessions; processes of exec sessions are killed by their backend's cancellation.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }

    private static void CheckStreams(bool tty, bool stdin, bool stdout, bool stderr)
    {
        if (tty && stderr)
        {
            throw new ArgumentException("tty and stderr cannot both be true");
        }

        if (!stdin && !stdout && !stderr)
        {
            throw new ArgumentException("one of stdin, stdout, or stderr must be set");
        }
    }

    private string Url(string kind, SessionRequest request) => new Uri(BaseUrl, kind + "/" + tokens.Add(request)).AbsoluteUri;

    private async Task HandleAsync(HttpContext context)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping.Token);
        var path = (context.Request.Path.Value ?? "").Split('/');
        var token = path.Length == 3 ? path[2] : "";
        var request = (path.Length == 3 ? path[1] : "") switch
        {
            "exec" => tokens.Take<ExecSession>(token),
            "attach" => tokens.Take<AttachSession>(token),
            "portforward" => tokens.Take<PortForwardSession>(token),
            _ => (SessionRequest?)null,
        };
        if (request is null)
        {
            context.Response.StatusCode = (int)HttpStatusCode.NotFound;
            await context.Response.WriteAsync("unknown, used or expired streaming URL\n", stop.Token).ConfigureAwait(false);
            return;
        }

        await handler.HandleAsync(context, request, stop.Token).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "streaming server listens on {Url}")]
    private partial void LogStarted(Uri url);
}
