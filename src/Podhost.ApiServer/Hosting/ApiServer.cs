using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.InProcess;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.WatchCache;
using Podhost.Streaming.Hosting;

namespace Podhost.ApiServer.Hosting;

/// <summary>The Kubernetes API server: one pipeline behind Kestrel and behind the in-process transport.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly ApiServerOptions _options;
    private readonly ApiServerDependencies _dependencies;
    private readonly ApiServerCore _core;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _background = Task.CompletedTask;
    private WebApplication? _app;

    /// <summary>Puts a server together; nothing runs before <see cref="StartAsync"/>.</summary>
    public ApiServer(ApiServerOptions options, ApiServerDependencies dependencies)
    {
        _options = options;
        _dependencies = dependencies;
        _core = new ApiServerCore(options, dependencies, () => _ready.Task.IsCompletedSuccessfully);
    }

    /// <summary>The server's own view of the objects, for parts that live beside it.</summary>
    public IObjectReader Objects => _core.Caches;

    /// <summary>Completes when the caches are filled and the namespaces that every cluster has are there.</summary>
    public Task Ready => _ready.Task;

    /// <summary>The port that is listened on; 0 before the start and without a listener.</summary>
    public int Port { get; private set; }

    /// <summary>Starts to listen and to follow the store. Requests wait for the caches; <see cref="Ready"/> tells when they are served at once.</summary>
    /// <exception cref="IOException">The address is in use.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _background = Task.WhenAll(
            _core.Caches.RunAsync(_stopping.Token), BecomeReadyAsync(_stopping.Token), new DefinitionController(_core.Services).RunAsync(_stopping.Token),
            new LocalApiServices(_core.Services).RunAsync(_stopping.Token));
        if (!_options.Listen)
        {
            return;
        }

        _app = Build();
        await _app.StartAsync(cancellationToken);
        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        foreach (var address in addresses)
        {
            Port = BindingAddress.Parse(address).Port;
            ServerLog.Serving(_core.Log, address);
        }
    }

    /// <summary>Ends watches, finishes requests and stops.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        if (_app is not null)
        {
            await _app.StopAsync(cancellationToken);
        }

        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A transport into the pipeline under an identity: authorization, admission and validation apply, no socket is used.</summary>
    public HttpMessageHandler CreateInProcessHandler(UserInfo identity) =>
        new InProcessHandler(http => _core.Pipeline.InvokeAsync(http, identity), _stopping.Token);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _core.Dispose();
        _stopping.Dispose();
    }

    private async Task BecomeReadyAsync(CancellationToken cancellationToken)
    {
        await _core.Caches.Filled.WaitAsync(cancellationToken);
        await SystemNamespaces.EnsureAsync(_core.Services, _core.Log, cancellationToken);
        _ready.TrySetResult();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "podhost" });
        builder.Services.Replace(ServiceDescriptor.Singleton(_dependencies.Logs));
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime>(new SilentLifetime()));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.WebHost.UseKestrelCore();
        if (_options.ServingCertificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(Configure);
        var app = builder.Build();
        app.Run(http =>
        {
            // Watches and streams must not keep a stop waiting.
            var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _stopping.Token);
            http.Response.RegisterForDispose(ending);
            http.RequestAborted = ending.Token;
            return _core.Pipeline.InvokeAsync(http);
        });
        return app;
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        HeaderLimits.Apply(kestrel.Limits);
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(3);
        kestrel.Limits.Http2.MaxStreamsPerConnection = 250;
        kestrel.Listen(new IPEndPoint(_options.BindAddress, _options.SecurePort), listen =>
        {
            listen.Protocols = _options.ServingCertificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (_options.ServingCertificate is not null)
            {
                listen.UseHttps(Https);
            }
        });
    }

    private void Https(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = _options.ServingCertificate;
        https.ServerCertificateChain = _options.ServingChain;

        // Whether a certificate is one of ours is the authenticator's to say; anybody may connect.
        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        https.ClientCertificateValidation = (_, _, _) => true;
        https.CheckCertificateRevocation = false;
    }

    // The process's signals belong to the executable.
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
