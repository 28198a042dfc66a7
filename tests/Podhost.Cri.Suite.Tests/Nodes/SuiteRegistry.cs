using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Tests.Shared;

namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary>Debian's docker-registry on a free loopback port, with the suite's image under two tags.</summary>
internal sealed class SuiteRegistry : IAsyncDisposable
{
    private const string Binary = "/usr/bin/docker-registry";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private readonly Process _process;
    private readonly string _directory;
    private readonly HttpClient _http;

    private SuiteRegistry(Process process, string directory, int port)
    {
        (_process, _directory, Host) = (process, directory, $"127.0.0.1:{port}");
        _http = new HttpClient { BaseAddress = new Uri($"http://{Host}/") };
    }

    public string Host { get; }

    /// <summary>Digest of the image's manifest.</summary>
    public string Digest { get; private set; } = "";

    public static string? WhyNot() => File.Exists(Binary) ? null : "docker-registry is not installed";

    public static async Task<SuiteRegistry> StartAsync(string directory)
    {
        Directory.CreateDirectory(directory);
        var port = Loopback.FreePort();
        var config = Path.Combine(directory, "config.yml");
        await File.WriteAllTextAsync(
            config, $"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {directory}/data\nhttp:\n  addr: 127.0.0.1:{port}\n");
        var process = Process.Start(new ProcessStartInfo("bash", ["-c", $"exec {Binary} serve {config} >{directory}/log 2>&1"]))!;
        var registry = new SuiteRegistry(process, directory, port);
        await registry.WaitAsync();
        await registry.PushAsync();
        return registry;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task WaitAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                (await _http.GetAsync("v2/")).EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (attempt < 400 && !_process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
            }
        }
    }

    private async Task PushAsync()
    {
        var layer = await LayerAsync();
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
                ["User"] = "app",
            },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Sha256(layer)) },
        }.ToJsonString());
        await BlobAsync(layer);
        await BlobAsync(config);
        var manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Descriptor("application/vnd.oci.image.config.v1+json", config),
            ["layers"] = new JsonArray(Descriptor("application/vnd.oci.image.layer.v1.tar", layer)),
        }.ToJsonString());
        Digest = Sha256(manifest);
        foreach (var tag in new[] { "1", "second" })
        {
            using var content = new ByteArrayContent(manifest);
            content.Headers.ContentType = new MediaTypeHeaderValue(ManifestType);
            (await _http.PutAsync($"v2/suite/busybox/manifests/{tag}", content)).EnsureSuccessStatusCode();
        }
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

    private async Task BlobAsync(byte[] blob)
    {
        using var started = await _http.PostAsync("v2/suite/busybox/blobs/uploads/", null);
        started.EnsureSuccessStatusCode();
        var location = started.Headers.Location!.ToString();
        using var content = new ByteArrayContent(blob);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        (await _http.PutAsync($"{location}{(location.Contains('?') ? '&' : '?')}digest={Sha256(blob)}", content)).EnsureSuccessStatusCode();
    }

    private static JsonObject Descriptor(string type, byte[] blob) => new() { ["mediaType"] = type, ["size"] = blob.Length, ["digest"] = Sha256(blob) };

    private static string Sha256(byte[] blob) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob));

    private static string Architecture =>
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
}
