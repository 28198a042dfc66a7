using System.Net.Sockets;
using Grpc.Net.Client;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Cri.Client;

/// <summary>
/// A connection to a CRI v1 runtime (containerd 1.6 and later, CRI-O) on a unix socket. It connects with the first call and again
/// after the runtime was restarted; a runtime that is away gives StatusCode.Unavailable. RPCs that the runtime does not know give
/// StatusCode.Unimplemented: callers decide what they do without them.
/// </summary>
public sealed class CriClient : IAsyncDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Creates the client; nothing is connected yet.</summary>
    /// <exception cref="ArgumentException">The endpoint is not an absolute path of a unix socket.</exception>
    public CriClient(CriClientOptions options, TimeProvider time)
    {
        var path = SocketPath(options.Endpoint);
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = (_, token) => ConnectAsync(path, token),
                EnableMultipleHttp2Connections = true,
                UseProxy = false,
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = options.MaxMessageSize,
            MaxSendMessageSize = options.MaxMessageSize,
        });
        var deadlines = new CriDeadlines(options.RequestTimeout, time);
        Runtime = new RuntimeServiceClient(new RuntimeService.RuntimeServiceClient(_channel), deadlines);
        Images = new ImageServiceClient(new ImageService.ImageServiceClient(_channel), deadlines);
    }

    /// <summary>The runtime service.</summary>
    public IRuntimeService Runtime { get; }

    /// <summary>The image service of the same socket.</summary>
    public IImageService Images { get; }

    /// <summary>Ends running calls and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _channel.ShutdownAsync();
        _channel.Dispose();
    }

    private static string SocketPath(string endpoint)
    {
        const string scheme = "unix://";
        var path = endpoint.StartsWith(scheme, StringComparison.Ordinal) ? endpoint[scheme.Length..] : endpoint;
        return path.StartsWith('/') ? path : throw new ArgumentException($"CRI endpoint \"{endpoint}\" is not unix:// and an absolute path");
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
