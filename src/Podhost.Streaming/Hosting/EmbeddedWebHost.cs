using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Podhost.Streaming.Hosting;

/// <summary>A bare Kestrel for a server inside a larger process: no configuration, no routing, no hold on the process's signals.</summary>
public static class EmbeddedWebHost
{
    /// <summary>Builds a server that gives every request to <paramref name="handler"/>; the caller starts, stops and disposes it.</summary>
    /// <param name="configure">Endpoints and limits.</param>
    /// <param name="handler">Handles a request.</param>
    /// <param name="loggers">Where Kestrel logs.</param>
    /// <param name="shutdownTimeout">How long a stop waits for running requests.</param>
    public static WebApplication Create(Action<KestrelServerOptions> configure, RequestDelegate handler, ILoggerFactory loggers, TimeSpan shutdownTimeout)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            HeaderLimits.Apply(options.Limits);

            // Streams may idle: a shell that waits for its user is no slow client.
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
            configure(options);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = shutdownTimeout);
        var app = builder.Build();
        app.Run(handler);
        return app;
    }

    /// <summary>The process's signals belong to the executable.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
