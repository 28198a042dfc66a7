using System.Diagnostics;
using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Tests.Shared;

namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary>Debian's docker-registry on a free loopback port, with the suite's image under two tags, and others for other users.</summary>
internal sealed class SuiteRegistry : IAsyncDisposable
{
    private const string Repository = "suite/busybox";
    private readonly RegistryProcess _registry;

    private SuiteRegistry(RegistryProcess registry) => _registry = registry;

    public string Host => _registry.Host;

    /// <summary>Digest of the image's manifest.</summary>
    public string Digest { get; private set; } = "";

    public static async Task<SuiteRegistry> StartAsync()
    {
        var registry = new SuiteRegistry(await RegistryProcess.StartAsync());
        await registry.PushAllAsync();
        return registry;
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private async Task PushAllAsync()
    {
        var layer = await LayerAsync();
        Digest = await PushAsync(layer, "app", "1", "second");
        await PushAsync(layer, "1002", "uid");
        await PushAsync(layer, "1003:extra", "uid-group");
        await PushAsync(layer, "app:extra", "name-group");
    }

    private async Task<string> PushAsync(byte[] layer, string user, params string[] tags)
    {
        var config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = Architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["Env"] = new JsonArray("PATH=/bin", "FROM_IMAGE=yes"),
                ["Entrypoint"] = new JsonArray("/bin/sh", "-c"),
                ["Cmd"] = new JsonArray("echo from the image"),
                ["WorkingDir"] = "/srv",
                ["User"] = user,
            },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(RegistryProcess.DigestOf(layer)) },
        }.ToJsonString());
        await _registry.PushBlobAsync(Repository, layer);
        await _registry.PushBlobAsync(Repository, config);
        var manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = RegistryProcess.ImageManifest,
            ["config"] = Descriptor("application/vnd.oci.image.config.v1+json", config),
            ["layers"] = new JsonArray(Descriptor("application/vnd.oci.image.layer.v1.tar", layer)),
        }.ToJsonString());
        foreach (var tag in tags)
        {
            await _registry.PushManifestAsync(Repository, tag, manifest);
        }

        return RegistryProcess.DigestOf(manifest);
    }

    private static async Task<byte[]> LayerAsync()
    {
        var busybox = File.Exists("/usr/bin/busybox") ? "/usr/bin/busybox" : "/bin/busybox";
        using var applets = Process.Start(new ProcessStartInfo(busybox, ["--list"]) { RedirectStandardOutput = true })!;
        var names = (await applets.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => name != "busybox");
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, mode) in new[] { ("bin/", 0b111_101_101), ("etc/", 0b111_101_101), ("srv/", 0b111_101_101), ("tmp/", 0b1_111_111_111) })
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, name) { Mode = (UnixFileMode)mode });
            }

            Add(writer, "bin/busybox", await File.ReadAllBytesAsync(busybox), 0b111_101_101);
            Add(writer, "etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/srv:/bin/sh\n"u8.ToArray(), 0b110_100_100);
            Add(writer, "etc/group", "root:x:0:\napp:x:1001:\nextra:x:2000:app\n"u8.ToArray(), 0b110_100_100);
            foreach (var name in names)
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/" + name) { LinkName = "busybox" });
            }
        }

        return tar.ToArray();
    }

    private static void Add(TarWriter writer, string name, byte[] content, int mode) =>
        writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), Mode = (UnixFileMode)mode });

    private static JsonObject Descriptor(string type, byte[] blob) => new() { ["mediaType"] = type, ["size"] = blob.Length, ["digest"] = RegistryProcess.DigestOf(blob) };

    private static string Architecture =>
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
}
