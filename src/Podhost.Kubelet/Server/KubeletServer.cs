using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Server.Http;
using Podhost.Streaming.Hosting;

namespace Podhost.Kubelet.Server;

/// <summary>
/// The kubelet's HTTPS API, by which the API server (and whoever may) reads logs and statistics and opens sessions in containers.
/// Every request is authenticated (client certificate, bearer token, or anonymous where that is allowed) and then authorized on the node.
/// </summary>
public sealed partial class KubeletServer : IAsyncDisposable
{
    private static readonly object Plain = new();
    private readonly KubeletServerOptions options;
    private readonly KubeletAuthorizer authorize;
    private readonly RequestAuthenticator authenticator;
    private readonly KubeletRoutes routes;
    private readonly WebApplication app;
    private readonly Lazy<X509Certificate2> ownCertificate;
    private readonly ILogger logger;

    /// <summary>Builds the server; <see cref="StartAsync"/> opens its port.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="services">What it serves.</param>
    /// <param name="authorize">Decides each request.</param>
    /// <param name="authenticateToken">Finds the users of bearer tokens; null: tokens are refused.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    public KubeletServer(
        KubeletServerOptions options,
        KubeletServerServices services,
        KubeletAuthorizer authorize,
        KubeletTokenAuthenticator? authenticateToken,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        this.options = options;
        this.authorize = authorize;
        logger = loggers.CreateLogger<KubeletServer>();
        authenticator = new RequestAuthenticator(new ClientCertificates(options.ClientAuthorities, time), authenticateToken, options.Anonymous);
        routes = new KubeletRoutes(options, services, time, loggers);
        ownCertificate = new(() => SelfSignedCertificate.Create(options.NodeName, options.Endpoint.Address, time.GetUtcNow()));
        app = EmbeddedWebHost.Create(Configure, HandleAsync, loggers, TimeSpan.FromSeconds(2));
    }

    /// <summary>The port it listens on, HTTPS.</summary>
    public int Port { get; private set; }

    /// <summary>The port on which it may be read by anybody; 0: there is none.</summary>
    public int ReadOnlyPort { get; private set; }

    /// <summary>The certificate it serves with.</summary>
    public X509Certificate2 Certificate => options.Certificate?.Invoke() ?? ownCertificate.Value;

    /// <summary>Opens the port.</summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        foreach (var address in app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses)
        {
            var uri = new Uri(address);
            if (uri.Port != options.HealthzEndpoint?.Port)
            {
                (Port, ReadOnlyPort) = uri.Scheme == Uri.UriSchemeHttps ? (uri.Port, ReadOnlyPort) : (Port, uri.Port);
            }

            LogStarted(address);
        }
    }

    /// <summary>Closes the port and ends all requests.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        if (ownCertificate.IsValueCreated)
        {
            ownCertificate.Value.Dispose();
        }
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Listen(options.Endpoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(https =>
            {
                https.ServerCertificateSelector = (_, _) => Certificate;
                https.ClientCertificateMode = options.ClientAuthorities.Count > 0 ? ClientCertificateMode.AllowCertificate : ClientCertificateMode.NoCertificate;

                // Whom the certificate makes its holder is found for each request, so that a bad one is answered with 401, not a broken handshake.
                https.AllowAnyClientCertificate();
            });
        });
        ListenPlain(kestrel, options.ReadOnlyEndpoint, KubeletRoutes.IsReadOnly);
        ListenPlain(kestrel, options.HealthzEndpoint, KubeletRoutes.IsHealth);
    }

    // A port without TLS asks nobody who he is, so that it shows little.
    private static void ListenPlain(KestrelServerOptions kestrel, IPEndPoint? endpoint, Func<string, bool> shows)
    {
        if (endpoint is not null)
        {
            kestrel.Listen(endpoint, listen => listen.Use(next => connection =>
            {
                connection.Items[Plain] = shows;
                return next(connection);
            }));
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            await AnswerAsync(context).ConfigureAwait(false);
        }
        catch (KubeletRequestException e)
        {
            await TextResponse.TextAsync(context, e.Code, e.Message).ConfigureAwait(false);
        }
        catch (RpcException e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await TextResponse.TextAsync(context, CodeOf(e.StatusCode), e.Status.Detail).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
        catch (Exception e)
        {
            LogFailed(e, context.Request.Path);
            await TextResponse.TextAsync(context, 500, "Internal Server Error: " + e.Message).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        if (context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Plain, out var shows) == true)
        {
            await (((Func<string, bool>)shows!)(path) ? routes.HandleAsync(context, path) : throw KubeletRequestException.NotFound("404 page not found\n")).ConfigureAwait(false);
            return;
        }

        if (await authenticator.AuthenticateAsync(context).ConfigureAwait(false) is not { } user)
        {
            await TextResponse.TextAsync(context, 401, "Unauthorized").ConfigureAwait(false);
            return;
        }

        var verb = RequestAccess.Verb(context.Request.Method, path);
        var subresources = RequestAccess.Subresources(path);
        foreach (var subresource in subresources)
        {
            if (await authorize(new KubeletAccess(user, verb, subresource, options.NodeName), context.RequestAborted).ConfigureAwait(false))
            {
                await routes.HandleAsync(context, path).ConfigureAwait(false);
                return;
            }
        }

        await TextResponse.TextAsync(
            context, 403, $"Forbidden (user={user.Name}, verb={verb}, resource=nodes, subresource(s)=[{string.Join(' ', subresources)}])\n").ConfigureAwait(false);
    }

    private static int CodeOf(StatusCode code) => code switch
    {
        StatusCode.NotFound => 404,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition => 400,
        StatusCode.ResourceExhausted => (int)HttpStatusCode.TooManyRequests,
        StatusCode.Unavailable => 503,
        StatusCode.Unimplemented => 501,
        StatusCode.DeadlineExceeded => 504,
        _ => 500,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "kubelet API listens on {Address}")]
    private partial void LogStarted(string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "kubelet API: {Path} failed")]
    private partial void LogFailed(Exception e, string path);
}
