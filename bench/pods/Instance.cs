using System.Diagnostics;

namespace Podhost.Bench.Pods;

/// <summary>An instance of Podhost of the benchmark's own, beside any other: its ports, directories, bridge, ranges and cgroups.</summary>
internal sealed class Instance(string executable, string directory) : IAsyncDisposable
{
    internal const string NodeName = "bench";
    internal const string CgroupRoot = "/podhost-bench";
    private const string Bridge = "phbench";
    private const int SecurePort = 29443;
    private const int KubeletPort = 29250;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private Process? _process;

    internal string Executable => executable;

    internal string Kubeconfig => Path.Combine(directory, "data", "admin.kubeconfig");

    internal string LogFile => Path.Combine(directory, "podhost.log");

    internal int Pid => _process?.Id ?? throw new InvalidOperationException("not started");

    private string[] Location => ["--data-dir", Path.Combine(directory, "data"), "--run-dir", Path.Combine(directory, "run")];

    /// <summary>Starts it and waits until the node is Ready: the time from the command to that.</summary>
    internal async Task<TimeSpan> StartAsync()
    {
        var started = Stopwatch.GetTimestamp();
        string[] options =
        [
            "up", .. Location, "--pod-logs-dir", Path.Combine(directory, "logs"), "--secure-port", $"{SecurePort}", "--kubelet-port", $"{KubeletPort}",
            "--bridge", Bridge, "--node-name", NodeName, "--pod-cidr", "10.221.0.0/16", "--service-cidr", "10.222.0.0/16", "--cgroup-root", CgroupRoot,
        ];
        _process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" >>\"$BENCH_LOG\" 2>&1", .. Invocation(executable), .. options])
        {
            Environment = { ["BENCH_LOG"] = LogFile },
        })!;
        using var patience = new CancellationTokenSource(Patience);
        await WaitForFileAsync(patience.Token);
        using var api = new ApiConnection(Kubeconfig);
        await api.WaitForNodeAsync(NodeName, patience.Token);
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>The OCI runtime that it chose, by its log.</summary>
    internal async Task<string> RuntimeAsync()
    {
        var log = await File.ReadAllTextAsync(LogFile);
        return log.Contains("Containers run with crun", StringComparison.Ordinal) ? "crun"
            : log.Contains("Containers run with runc", StringComparison.Ordinal) ? "runc"
            : throw new BenchException("the log does not say which OCI runtime was chosen");
    }

    internal Task LoadImageAsync(string archive)
    {
        var command = Invocation(executable);
        return Command.RunAsync(command[0], [.. command[1..], "image", "load", archive, .. Location]);
    }

    /// <summary>Ends the process. Pods would outlive it: they are deleted before.</summary>
    internal async Task StopAsync()
    {
        if (_process is { HasExited: false } process)
        {
            await Command.RunAsync("kill", "-TERM", $"{process.Id}");
            await process.WaitForExitAsync();
        }

        _process?.Dispose();
        _process = null;
    }

    /// <summary>Takes away what an instance leaves in the kernel for its next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (Directory.Exists("/sys/class/net/" + Bridge))
        {
            await Command.TryRunAsync("ip", "link", "delete", Bridge);
        }

        foreach (var table in new[] { $"podhost_{Bridge}", $"podhost_{Bridge}_services" })
        {
            await Command.TryRunAsync("sh", "-c", $"! nft list table ip {table} >/dev/null 2>&1 || nft delete table ip {table}");
        }

        await Command.TryRunAsync("sh", "-c", $"find /sys/fs/cgroup -depth -type d -path '*{CgroupRoot}*' -exec rmdir {{}} +");
        await Command.TryRunAsync("sh", "-c", $"grep -o ' {directory}/[^ ]*' /proc/mounts | sort -r | xargs -r -n1 umount -l");
    }

    private static string[] Invocation(string executable) =>
        executable.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", executable] : [executable];

    private async Task WaitForFileAsync(CancellationToken cancellationToken)
    {
        while (!File.Exists(Kubeconfig))
        {
            if (_process!.HasExited)
            {
                throw new BenchException($"podhost ended with {_process.ExitCode}: {await File.ReadAllTextAsync(LogFile, cancellationToken)}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }
    }
}
