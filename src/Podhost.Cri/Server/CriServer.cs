using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;

namespace Podhost.Cri.Server;

/// <summary>
/// Serves CRI v1 on a unix socket that only root may open. Go's gRPC clients send the socket path as :authority, which is no valid
/// host name: Kestrel is told to take any.
/// </summary>
public sealed class CriServer(CriServerOptions options, IRuntimeService runtime, IImageService images, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly string _socketPath = Path.GetFullPath(options.SocketPath);
    private WebApplication? _app;

    /// <summary>Starts listening; returns when clients can connect.</summary>
    /// <exception cref="IOException">The socket is in use by a living process, or cannot be made.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RemoveStaleSocketAsync(_socketPath, cancellationToken);
        _app = Build();
        await _app.StartAsync(cancellationToken);
        File.SetUnixFileMode(_socketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Ends the calls and removes the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
            File.Delete(_socketPath);
        }
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowAlternateSchemes = true;
            kestrel.ListenUnixSocket(_socketPath, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRouting();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MaxMessageSize;
            grpc.MaxSendMessageSize = options.MaxMessageSize;
        });
        builder.Services.AddSingleton(new RuntimeServiceAdapter(runtime));
        builder.Services.AddSingleton(new ImageServiceAdapter(images));
        var app = builder.Build();
        app.MapGrpcService<RuntimeServiceAdapter>();
        app.MapGrpcService<ImageServiceAdapter>();
        return app;
    }

    private static async Task RemoveStaleSocketAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }

        throw new IOException($"another process serves {path}");
    }
}
