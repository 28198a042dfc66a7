using System.Diagnostics;
using System.Net.Sockets;

namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary>The real executable with directories, bridge and range of its own; its end resets it.</summary>
internal sealed class PodhostProcess(string root, int number) : IAsyncDisposable
{
    private Process? _process;

    public string Bridge { get; } = $"phsu{number}";

    public string CgroupRoot { get; } = $"/podhost-suite-{number}";

    public string LogDirectory => $"{root}/logs";

    private string[] Options =>
    [
        "--data-dir", $"{root}/data", "--run-dir", $"{root}/run", "--pod-logs-dir", LogDirectory, "--bridge", Bridge,
        "--pod-cidr", $"10.{200 + (number % 20)}.{number % 250}.0/24", "--cgroup-root", CgroupRoot, "--kubelet-port", "0",
    ];

    /// <summary>Starts a command and waits until it says that it is ready.</summary>
    public async Task StartAsync(params string[] arguments)
    {
        var notify = $"{root}/ready.sock";
        using var ready = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        ready.Bind(new UnixDomainSocketEndPoint(notify));
        _process = Shell($"export NOTIFY_SOCKET={notify}; exec {Command(arguments)} >{root}/log 2>&1");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var receiving = ready.ReceiveAsync(new byte[64], limit.Token).AsTask();
        if (await Task.WhenAny(receiving, _process.WaitForExitAsync(limit.Token)) != receiving || !receiving.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("podhost did not become ready\n" + await File.ReadAllTextAsync($"{root}/log"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
        {
            return;
        }

        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        using var reset = Shell($"exec {Command("reset", "--yes")} >>{root}/log 2>&1");
        await reset.WaitForExitAsync();
        Assert.True(reset.ExitCode == 0, await File.ReadAllTextAsync($"{root}/log"));
        Assert.False(Directory.Exists("/sys/class/net/" + Bridge), "the bridge is left");
    }

    private string Command(params string[] arguments)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Podhost.slnx")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("the tests run below the source tree");
        }

        var configuration = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";
        var program = Environment.GetEnvironmentVariable("PODHOST_EXE") ?? $"dotnet {directory.FullName}/src/Podhost/bin/{configuration}/net10.0/podhost.dll";
        return $"{program} {string.Join(' ', arguments)} {string.Join(' ', Options)}";
    }

    private static Process Shell(string script) => Process.Start(new ProcessStartInfo("bash", ["-c", script]))!;
}
