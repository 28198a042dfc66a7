using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Images;

/// <summary>Images of the tests into a registry.</summary>
internal static class RegistryPushes
{
    public static async Task PushAsync(this RegistryProcess registry, string repository, string tag, TestImage image)
    {
        foreach (var blob in image.Blobs.Values)
        {
            await registry.PushBlobAsync(repository, blob);
        }

        await registry.PushManifestAsync(repository, tag, image.Manifest);
    }

    public static async Task PushIndexAsync(this RegistryProcess registry, string repository, string tag, params (TestImage Image, string Architecture)[] images)
    {
        foreach (var (image, _) in images)
        {
            await registry.PushAsync(repository, image.ManifestDigest, image);
        }

        await registry.PushManifestAsync(repository, tag, TestImage.Index(images), "application/vnd.oci.image.index.v1+json");
    }
}
