using System.Formats.Tar;
using System.Text;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Instances;

/// <summary>Pushes an image that is like no other: who wants it must pull it.</summary>
internal static class PrivateImage
{
    /// <summary>Pushes an image with <c>/bin/sleep</c> and a file that no other image has.</summary>
    /// <returns>Its reference.</returns>
    public static async Task<string> PushAsync(RegistryProcess registry, string repository) => (await PushBothAsync(registry, repository)).Tag;

    /// <summary>The same.</summary>
    /// <returns>Its reference by tag, and by digest.</returns>
    public static async Task<(string Tag, string Digest)> PushBothAsync(RegistryProcess registry, string repository)
    {
        var layer = Layer();
        var config = Encoding.UTF8.GetBytes($$$"""
            {"architecture":"{{{Architecture}}}","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sleep","1000"]},
             "rootfs":{"type":"layers","diff_ids":["{{{RegistryProcess.DigestOf(layer)}}}"]}}
            """);
        await registry.PushBlobAsync(repository, layer);
        await registry.PushBlobAsync(repository, config);
        var manifest = Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"mediaType":"{{{RegistryProcess.ImageManifest}}}",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{RegistryProcess.DigestOf(config)}}}","size":{{{config.Length}}}},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{{RegistryProcess.DigestOf(layer)}}}","size":{{{layer.Length}}}}]}
            """);
        await registry.PushManifestAsync(repository, "1", manifest);
        return ($"{registry.Host}/{repository}:1", $"{registry.Host}/{repository}@{RegistryProcess.DigestOf(manifest)}");
    }

    private static string Architecture => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static byte[] Layer()
    {
        using var layer = new MemoryStream();
        using (var tar = new TarWriter(layer, leaveOpen: true))
        {
            using var binary = File.OpenRead(Shell.Find("busybox")!);
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "bin") { Mode = (UnixFileMode)0b111_101_101 });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0b111_101_101, DataStream = binary });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/sleep") { LinkName = "busybox" });
            using var own = new MemoryStream(Guid.NewGuid().ToByteArray());
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "own") { DataStream = own });
        }

        return layer.ToArray();
    }
}
