using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Podhost.Tests.Shared;

/// <summary>Debian's docker-registry on a free loopback port, with a directory of its own, empty at first.</summary>
internal sealed class RegistryProcess : IAsyncDisposable
{
    public const string ImageManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>Who may pull where a registry asks.</summary>
    public const string Username = "puller";
    public const string Password = "secret";

    private const string Binary = "/usr/bin/docker-registry";

    // bcrypt of "secret".
    private const string PasswordHash = "$2b$04$h7WM7w79ajUWkjwcBHoCxuf///3xo1MUEwV8MlkYUpyH9exvY1H3O";

    private readonly Process _process;
    private readonly string _directory;
    private readonly HttpClient _http;

    private RegistryProcess(Process process, string directory, int port)
    {
        _process = process;
        _directory = directory;
        Host = $"127.0.0.1:{port}";
        _http = new HttpClient { BaseAddress = new Uri($"http://{Host}/") };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Username}:{Password}")));
    }

    /// <summary>Address and port, as they stand in an image reference.</summary>
    public string Host { get; }

    /// <summary>Why no registry can be started here; null where it can.</summary>
    public static string? WhyNot() => File.Exists(Binary) ? null : "docker-registry is not installed";

    public static async Task<RegistryProcess> StartAsync(bool authenticated = false)
    {
        Assert.SkipWhen(WhyNot() is not null, WhyNot() ?? "");
        var directory = Directory.CreateTempSubdirectory("podhost-registry-").FullName;
        var port = Loopback.FreePort();
        var auth = "";
        if (authenticated)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "htpasswd"), $"{Username}:{PasswordHash}\n");
            auth = $"auth:\n  htpasswd:\n    realm: test\n    path: {directory}/htpasswd\n";
        }

        var config = Path.Combine(directory, "config.yml");
        await File.WriteAllTextAsync(
            config,
            $"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {directory}/data\nhttp:\n  addr: 127.0.0.1:{port}\n{auth}");
        var process = Process.Start(new ProcessStartInfo(Binary, ["serve", config]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var registry = new RegistryProcess(process, directory, port);
        await registry.WaitAsync();
        return registry;
    }

    /// <summary>The name of a blob: its SHA-256 digest.</summary>
    public static string DigestOf(byte[] blob) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob));

    public async Task PushBlobAsync(string repository, byte[] blob)
    {
        using var started = await _http.PostAsync($"v2/{repository}/blobs/uploads/", null);
        started.EnsureSuccessStatusCode();
        var location = started.Headers.Location!.ToString();
        using var content = new ByteArrayContent(blob);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var done = await _http.PutAsync($"{location}{(location.Contains('?') ? '&' : '?')}digest={DigestOf(blob)}", content);
        done.EnsureSuccessStatusCode();
    }

    /// <param name="repository">Name below the host.</param>
    /// <param name="tag">A tag or the manifest's digest.</param>
    /// <param name="manifest">Of an image or an index; its blobs must be there.</param>
    /// <param name="mediaType">Which of the two.</param>
    public async Task PushManifestAsync(string repository, string tag, byte[] manifest, string mediaType = ImageManifest)
    {
        using var content = new ByteArrayContent(manifest);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var response = await _http.PutAsync($"v2/{repository}/manifests/{tag}", content);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>It answers nobody any more until <see cref="Resume"/>: connections wait.</summary>
    public void Pause() => Signal("STOP");

    /// <summary>It goes on.</summary>
    public void Resume() => Signal("CONT");

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
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
                using var response = await _http.GetAsync("v2/");
                response.EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (attempt < 200 && !_process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
            }
        }
    }
}
