using System.Diagnostics;
using Podhost.Storage.Tests.Sqlite;
using Podhost.Tests.Shared;

namespace Podhost.Storage.Tests.Etcd;

/// <summary>A real etcd on loopback, in a directory of its own. It can be stopped and started again on the same ports.</summary>
public sealed class EtcdFixture : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private readonly int _clientPort = Loopback.FreePort();
    private readonly int _peerPort = Loopback.FreePort();
    private Process? _process;

    public string Endpoint => $"http://127.0.0.1:{_clientPort}";

    public static string? Binary { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(d => Path.Combine(d, "etcd")).FirstOrDefault(File.Exists);

    public async ValueTask InitializeAsync()
    {
        if (Binary is not null)
        {
            await StartAsync();
        }
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    public void Stop()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
        _process = null;
    }

    public async Task StartAsync()
    {
        string[] arguments =
        [
            "--data-dir", _directory.File("etcd"), "--name", "test", "--heartbeat-interval", "50", "--election-timeout", "250",
            "--listen-client-urls", Endpoint, "--advertise-client-urls", Endpoint,
            "--listen-peer-urls", $"http://127.0.0.1:{_peerPort}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{_peerPort}",
            "--initial-cluster", $"test=http://127.0.0.1:{_peerPort}", "--log-level", "error",
        ];
        _process = Process.Start(new ProcessStartInfo(Binary!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();

        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await IsHealthyAsync(http))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
        }
    }

    private async Task<bool> IsHealthyAsync(HttpClient http)
    {
        try
        {
            return (await http.GetStringAsync(Endpoint + "/health")).Contains("\"true\"");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
