using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Configuration;
using Podhost.Hosting;
using Podhost.Runtime.Images;

namespace Podhost.Images;

/// <summary>Opens the images of an instance, running or not.</summary>
internal static class ImageTools
{
    public static async Task<IImageTool> OpenAsync(PodhostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.ContainerRuntimeEndpoint is not null)
        {
            throw new ConfigurationException("--container-runtime-endpoint: the images are the other runtime's: use its own tools");
        }

        if (InstanceLock.IsHeld(options))
        {
            return new RemoteImageTool(options);
        }

        var progress = new ImageProgress();
        var images = await EmbeddedImages.OpenAsync(EmbeddedOptions(options, progress), time, new Random(), NullLoggerFactory.Instance, cancellationToken);
        return new LocalImageTool(images, progress, owned: true);
    }

    public static EmbeddedImagesOptions EmbeddedOptions(PodhostOptions options, ImageProgress progress) => new()
    {
        Directory = Path.Combine(options.DataDir, "runtime"),
        Registry = new Runtime.Images.Registry.RegistryOptions
        {
            InsecureRegistries = options.Registries.Where(r => r.Value.Insecure).Select(r => r.Key).ToHashSet(),
            Certificates = options.Registries.Where(r => r.Value.Certs is not null).ToDictionary(r => r.Key, r => r.Value.Certs!),
            Mirrors = options.Registries.Where(r => r.Value.Mirrors.Count > 0).ToDictionary(r => r.Key, r => r.Value.Mirrors),
        },
        Progress = progress.Report,
    };
}
