using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Cri.V1;
using Podhost.Linux.Files;
using Podhost.Runtime.Images;
using Podhost.Runtime.Images.Layers;
using Podhost.Runtime.Images.Registry;

namespace Podhost.Runtime.Tests.Images;

/// <summary>An embedded image service in a temporary directory; undoes its mounts.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private TestNode(string directory, EmbeddedImages images)
    {
        DataDirectory = directory;
        Images = images;
    }

    public string DataDirectory { get; }

    public EmbeddedImages Images { get; private set; }

    public List<PullProgress> Progress { get; private init; } = [];

    public static async Task<TestNode> StartAsync(Func<RegistryOptions, RegistryOptions>? registry = null, LayerLimits? limits = null)
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root to own files and to mount");
        var directory = Directory.CreateTempSubdirectory("podhost-images-").FullName;
        var progress = new List<PullProgress>();
        var options = Options(directory, progress, registry, limits);
        return new TestNode(directory, await OpenAsync(options)) { Progress = progress, _options = options };
    }

    private EmbeddedImagesOptions _options = null!;

    /// <summary>What a restart of the process does.</summary>
    public async Task RestartAsync()
    {
        Images.Dispose();
        Images = await OpenAsync(_options);
    }

    public async Task<string> PullAsync(string image, AuthConfig? auth = null) =>
        (await Images.Service.PullImageAsync(
            new PullImageRequest { Image = new ImageSpec { Image = image }, Auth = auth }, TestContext.Current.CancellationToken)).ImageRef;

    public async Task<RpcException> FailPullAsync(string image, AuthConfig? auth = null) =>
        await Assert.ThrowsAsync<RpcException>(() => PullAsync(image, auth));

    public async Task<Image?> StatusAsync(string image) =>
        (await Images.Service.ImageStatusAsync(
            new ImageStatusRequest { Image = new ImageSpec { Image = image } }, TestContext.Current.CancellationToken)).Image;

    public Task RemoveAsync(string image) => Images.Service.RemoveImageAsync(
        new RemoveImageRequest { Image = new ImageSpec { Image = image } }, TestContext.Current.CancellationToken);

    public string[] Files(string subdirectory) =>
        [.. Directory.EnumerateFileSystemEntries(Path.Combine(DataDirectory, subdirectory)).Select(path => Path.GetFileName(path))];

    public async ValueTask DisposeAsync()
    {
        foreach (var key in Images.Rootfs.List())
        {
            await Images.Rootfs.RemoveRootfsAsync(key, CancellationToken.None);
        }

        Images.Dispose();
        FileTree.Delete(DataDirectory, CancellationToken.None);
    }

    private static EmbeddedImagesOptions Options(
        string directory, List<PullProgress> progress, Func<RegistryOptions, RegistryOptions>? registry, LayerLimits? limits)
    {
        var fast = new RegistryOptions { BackOff = TimeSpan.FromMilliseconds(1), MaxAttempts = 3, StallTimeout = TimeSpan.FromSeconds(10) };
        return new EmbeddedImagesOptions
        {
            Directory = directory,
            Registry = registry?.Invoke(fast) ?? fast,
            LayerLimits = limits ?? new LayerLimits(),
            DurableLayers = false,
            Progress = step =>
            {
                lock (progress)
                {
                    progress.Add(step);
                }
            },
        };
    }

    private static Task<EmbeddedImages> OpenAsync(EmbeddedImagesOptions options) => EmbeddedImages.OpenAsync(
        options, TimeProvider.System, new Random(1), NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
}
