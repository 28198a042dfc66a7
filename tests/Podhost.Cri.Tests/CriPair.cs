using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Cri.Client;
using Podhost.Cri.Server;
using Podhost.Cri.Services;

namespace Podhost.Cri.Tests;

/// <summary>A client connected to a server with fake services on a unix socket.</summary>
internal sealed class CriPair : IAsyncDisposable
{
    private readonly string _directory;
    private readonly CriServer _server;

    private CriPair(string directory, CriServer server, CriClient client, FakeService runtime, FakeService images)
    {
        (_directory, _server, Client, Runtime, Images) = (directory, server, client, runtime, images);
    }

    public string SocketPath => Path.Combine(_directory, "cri.sock");

    public CriClient Client { get; }

    public FakeService Runtime { get; }

    public FakeService Images { get; }

    public static async Task<CriPair> StartAsync()
    {
        var directory = Directory.CreateTempSubdirectory("podhost-cri-").FullName;
        var socket = Path.Combine(directory, "cri.sock");
        var (runtime, fakeRuntime) = FakeService.Create<IRuntimeService>();
        var (images, fakeImages) = FakeService.Create<IImageService>();
        var server = new CriServer(new CriServerOptions { SocketPath = socket }, runtime, images, NullLoggerFactory.Instance);
        await server.StartAsync(CancellationToken.None);
        var client = new CriClient(new CriClientOptions { Endpoint = "unix://" + socket }, TimeProvider.System);
        return new CriPair(directory, server, client, fakeRuntime, fakeImages);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
