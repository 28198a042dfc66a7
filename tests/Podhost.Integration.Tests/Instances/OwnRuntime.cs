using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Podhost.Integration.Tests.Instances;

/// <summary>
/// <c>podhost runtime</c> as a process of its own: a kubelet runs its pods on the embedded runtime through CRI on a socket, as an upstream
/// kubelet would. The instance's kubelet removes the pods before it is disposed.
/// </summary>
internal sealed class OwnRuntime : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string[] _options;
    private readonly StringBuilder _log = new();
    private Process? _process;

    private OwnRuntime(string directory, string[] options) => (_directory, _options) = (directory, options);

    /// <summary>The socket as kubelets take it.</summary>
    public string Endpoint => $"unix://{_directory}/cri.sock";

    /// <summary>A started one.</summary>
    /// <param name="directory">Its state; short, since sockets lie in it.</param>
    /// <param name="options">Bridge, ranges, cgroup root and log directory.</param>
    public static async Task<OwnRuntime> StartAsync(string directory, params string[] options)
    {
        Directory.CreateDirectory(directory);
        var runtime = new OwnRuntime(directory, ["--data-dir", $"{directory}/data", "--run-dir", $"{directory}/run", .. options]);
        await runtime.RunAsync();
        return runtime;
    }

    /// <summary>Another command about this runtime.</summary>
    public Task<Ran> PodhostAsync(params string[] arguments) => Shell.RunAsync(
        Executable.File, [.. Executable.Arguments, .. arguments, "--data-dir", $"{_directory}/data", "--run-dir", $"{_directory}/run"]);

    public async ValueTask DisposeAsync()
    {
        _process!.Kill();
        await Task.Run(() => _process.WaitForExit(TimeSpan.FromSeconds(30)));
        _process.Dispose();
        var reset = await Shell.RunAsync(Executable.File, [.. Executable.Arguments, "reset", "--yes", .. _options], deadline: TimeSpan.FromSeconds(90));
        Assert.True(reset.Code == 0, $"reset of the runtime: {reset}\n{_log}");
    }

    private async Task RunAsync()
    {
        var notify = $"{_directory}/ready.sock";
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(notify));
        _process = Shell.Start(
            Executable.File, [.. Executable.Arguments, "runtime", "--listen", Endpoint, .. _options], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = notify });
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var ready = socket.ReceiveAsync(new byte[256], stop.Token).AsTask();
        if (await Task.WhenAny(ready, _process.WaitForExitAsync(stop.Token)) != ready || !ready.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException($"the runtime did not become ready\n{_log}");
        }
    }

    private void Add(string? line)
    {
        lock (_log)
        {
            _log.AppendLine(line);
        }
    }
}
