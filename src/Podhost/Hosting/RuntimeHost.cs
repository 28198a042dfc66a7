using Microsoft.Extensions.Logging;
using Podhost.Commands;
using Podhost.Configuration;
using Podhost.Cri.Client;
using Podhost.Cri.Server;
using Podhost.Cri.Services;
using Podhost.Images;
using Podhost.Runtime;
using Podhost.Runtime.Images;
using Podhost.Streaming.Server;

namespace Podhost.Hosting;

/// <summary>The container runtime of an instance: the embedded one, or another behind a CRI socket.</summary>
internal sealed class RuntimeHost : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _parts = [];

    private RuntimeHost(IRuntimeService runtime, IImageService images, Task completion)
    {
        Runtime = runtime;
        Images = images;
        Completion = completion;
    }

    public IRuntimeService Runtime { get; }

    public IImageService Images { get; }

    /// <summary>Ends where the embedded runtime can work no more.</summary>
    public Task Completion { get; }

    public static Task<RuntimeHost> StartAsync(PodhostOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken) =>
        options.ContainerRuntimeEndpoint is { } endpoint
            ? Task.FromResult(Connect(endpoint, time))
            : EmbedAsync(options, time, logs, cancellationToken);

    public static EmbeddedRuntimeOptions EmbeddedOptions(PodhostOptions options) => new()
    {
        DataDirectory = Path.Combine(options.DataDir, "runtime"),
        RunDirectory = options.RunDir,
        Bridge = options.Bridge,
        PodCidrs = options.PodCidrs,
        CniConfDirectory = options.CniConfDir,
        CniBinDirectories = options.CniBinDir.Split(':', StringSplitOptions.RemoveEmptyEntries),
        InfraImage = options.PodInfraContainerImage,
        SeccompProfileRoot = Path.Combine(options.DataDir, "kubelet", "seccomp"),
        Version = VersionCommand.ProductVersion,
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }
    }

    private static RuntimeHost Connect(string endpoint, TimeProvider time)
    {
        var client = new CriClient(new CriClientOptions { Endpoint = endpoint }, time);
        var host = new RuntimeHost(client.Runtime, client.Images, new TaskCompletionSource().Task);
        host._parts.Add(client);
        return host;
    }

    private static async Task<RuntimeHost> EmbedAsync(PodhostOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        var progress = new ImageProgress();
        var images = await EmbeddedImages.OpenAsync(ImageTools.EmbeddedOptions(options, progress), time, new Random(), logs, cancellationToken);
        var runtime = await EmbeddedRuntime.StartAsync(EmbeddedOptions(options), images, new StreamingServerOptions(), logs, time, cancellationToken);
        var host = new RuntimeHost(runtime.Service, images.Service, runtime.Completion);
        host._parts.Add(new Owned(images));
        host._parts.Add(runtime);
        runtime.TryUserNamespaces();
        if (options.CriSocket is { } socket)
        {
            var server = new CriServer(new CriServerOptions { SocketPath = socket }, runtime.Service, images.Service, logs);
            host._parts.Add(server);
            await server.StartAsync(cancellationToken);
        }

        host._parts.Add(await ControlSocket.StartAsync(options, new LocalImageTool(images, progress, owned: false), logs, cancellationToken));
        return host;
    }

    private sealed class Owned(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
