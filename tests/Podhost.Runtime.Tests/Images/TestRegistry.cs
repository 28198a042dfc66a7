using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Images;

/// <summary>Debian's docker-registry on a free loopback port, with a directory of its own.</summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    public const string Username = "puller";
    public const string Password = "secret";

    private const string Binary = "/usr/bin/docker-registry";

    // bcrypt of "secret".
    private const string PasswordHash = "$2b$04$h7WM7w79ajUWkjwcBHoCxuf///3xo1MUEwV8MlkYUpyH9exvY1H3O";

    private readonly Process _process;
    private readonly string _directory;
    private readonly HttpClient _http;

    private TestRegistry(Process process, string directory, int port)
    {
        _process = process;
        _directory = directory;
        Host = $"127.0.0.1:{port}";
        _http = new HttpClient { BaseAddress = new Uri($"http://{Host}/") };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Username}:{Password}")));
    }

    public string Host { get; }

    public static async Task<TestRegistry> StartAsync(bool authenticated = false)
    {
        Assert.SkipUnless(File.Exists(Binary), "docker-registry is not installed");
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
        var registry = new TestRegistry(process, directory, port);
        await registry.WaitAsync();
        return registry;
    }

    public async Task PushAsync(string repository, string tag, TestImage image)
    {
        await PushBlobsAsync(repository, image);
        await PushManifestAsync(repository, tag, image.Manifest, "application/vnd.oci.image.manifest.v1+json");
    }

    public async Task PushIndexAsync(string repository, string tag, params (TestImage Image, string Architecture)[] images)
    {
        foreach (var (image, _) in images)
        {
            await PushAsync(repository, image.ManifestDigest, image);
        }

        await PushManifestAsync(repository, tag, TestImage.Index(images), "application/vnd.oci.image.index.v1+json");
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

    private async Task PushBlobsAsync(string repository, TestImage image)
    {
        foreach (var (digest, blob) in image.Blobs)
        {
            using var started = await _http.PostAsync($"v2/{repository}/blobs/uploads/", null);
            started.EnsureSuccessStatusCode();
            var location = started.Headers.Location!.ToString();
            using var content = new ByteArrayContent(blob);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            using var done = await _http.PutAsync($"{location}{(location.Contains('?') ? '&' : '?')}digest={digest}", content);
            done.EnsureSuccessStatusCode();
        }
    }

    private async Task PushManifestAsync(string repository, string tag, byte[] manifest, string mediaType)
    {
        using var content = new ByteArrayContent(manifest);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var response = await _http.PutAsync($"v2/{repository}/manifests/{tag}", content);
        response.EnsureSuccessStatusCode();
    }
}
