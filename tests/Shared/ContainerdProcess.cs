using System.Diagnostics;
using System.Net.Sockets;

namespace Podhost.Tests.Shared;

/// <summary>
/// A containerd of the tests' own: root, state, socket, CNI configuration and bridge are nobody else's. It has an infra image made of
/// catatonit, since no registry is reached. Disposing it ends the shims that are left and removes everything; who ran pods on it removes
/// them through CRI before, for CNI's DEL.
/// </summary>
public sealed class ContainerdProcess : IAsyncDisposable
{
    private const string InfraImage = "localhost/podhost/pause:1";
    private const string CniPlugins = "/usr/lib/cni";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly string _directory;
    private readonly string _bridge;
    private Process? _process;

    private ContainerdProcess(string directory, string bridge) => (_directory, _bridge) = (directory, bridge);

    /// <summary>Why it cannot run here; null: it can.</summary>
    public static string? WhyNot() =>
        Environment.UserName != "root" ? "containerd needs root"
        : new[] { "containerd", "ctr", "runc", "catatonit" }.FirstOrDefault(c => Find(c) is null) is { } missing ? $"{missing} is not installed"
        : File.Exists(Path.Combine(CniPlugins, "bridge")) ? null : "containernetworking-plugins are not installed";

    /// <summary>The CRI socket.</summary>
    public string Socket => Path.Combine(_directory, "containerd.sock");

    /// <summary>The same as kubelets and crictl take it.</summary>
    public string Endpoint => "unix://" + Socket;

    /// <summary>What it printed.</summary>
    public string LogPath => Path.Combine(_directory, "log");

    /// <summary>A started one.</summary>
    /// <param name="directory">Does not exist yet; short, since sockets lie in it.</param>
    /// <param name="bridge">Name of the pods' bridge.</param>
    /// <param name="podCidr">Range of the pods.</param>
    public static async Task<ContainerdProcess> StartAsync(string directory, string bridge, string podCidr)
    {
        Directory.CreateDirectory(Path.Combine(directory, "cni"));
        var containerd = new ContainerdProcess(directory, bridge);
        await File.WriteAllTextAsync(containerd.ConfigPath, Config(directory));
        await File.WriteAllTextAsync(Path.Combine(directory, "cni", "10-pods.conflist"), Network(directory, bridge, podCidr));
        try
        {
            await containerd.RunAsync();
            await containerd.ImportAsync(await InfraArchiveAsync(directory));
            return containerd;
        }
        catch
        {
            await containerd.DisposeAsync();
            throw;
        }
    }

    /// <summary>Loads a docker archive.</summary>
    public Task ImportAsync(string archive) => CtrAsync("images", "import", archive);

    /// <summary>kill -9 and a new start; its containers go on.</summary>
    public async Task RestartAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        await RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        foreach (var pid in Mine())
        {
            await CommandAsync("kill", "-9", $"{pid}");
        }

        // Shims and their containers vanish with the kernel's time; mounts are what keeps the directory.
        for (var attempt = 0; attempt < 100 && Mine().Any(); attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        foreach (var mount in Mounts())
        {
            await CommandAsync("umount", "-l", mount);
        }

        await CommandAsync("ip", "link", "delete", _bridge);
        Directory.Delete(_directory, recursive: true);
    }

    private string ConfigPath => Path.Combine(_directory, "config.toml");

    private static string Config(string directory) => $"""
        version = 2
        root = "{directory}/root"
        state = "{directory}/state"
        [grpc]
          address = "{directory}/containerd.sock"
        [ttrpc]
          address = "{directory}/containerd.sock.ttrpc"
        [plugins."io.containerd.internal.v1.opt"]
          path = "{directory}/opt"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "{InfraImage}"
          netns_mounts_under_state_dir = true
          restrict_oom_score_adj = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "{CniPlugins}"
            conf_dir = "{directory}/cni"
        """;

    private static string Network(string directory, string bridge, string podCidr) => $$"""
        {"cniVersion": "1.0.0", "name": "{{bridge}}", "plugins": [
          {"type": "bridge", "bridge": "{{bridge}}", "isGateway": true, "ipMasq": true, "hairpinMode": true,
           "ipam": {"type": "host-local", "dataDir": "{{directory}}/ipam", "ranges": [[{"subnet": "{{podCidr}}"}]], "routes": [{"dst": "0.0.0.0/0"}] } },
          {"type": "portmap", "capabilities": {"portMappings": true} } ] }
        """;

    private async Task RunAsync()
    {
        var start = new ProcessStartInfo("bash", ["-c", $"exec containerd -c {ConfigPath} >>{LogPath} 2>&1"]);
        _process = Process.Start(start) ?? throw new InvalidOperationException("containerd did not start");
        var limit = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (_process.HasExited || limit.Elapsed > StartLimit)
            {
                throw new InvalidOperationException($"containerd did not start\n{await File.ReadAllTextAsync(LogPath)}");
            }

            // Nothing tells when it serves.
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private async Task<bool> AnswersAsync()
    {
        if (!File.Exists(Socket))
        {
            return false;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(Socket));
        }
        catch (SocketException)
        {
            return false;
        }

        return await CommandAsync("ctr", "-a", Socket, "-n", "k8s.io", "images", "ls", "-q") == 0;
    }

    private async Task CtrAsync(params string[] arguments)
    {
        var code = await CommandAsync("ctr", ["-a", Socket, "-n", "k8s.io", .. arguments]);
        if (code != 0)
        {
            throw new InvalidOperationException($"ctr {string.Join(' ', arguments)} ended with {code}");
        }
    }

    private static async Task<string> InfraArchiveAsync(string directory)
    {
        var archive = Path.Combine(directory, "pause.tar");
        var script = $$"""
            set -e; w=$(mktemp -d {{directory}}/image.XXXX); mkdir $w/root; cp {{Find("catatonit")}} $w/root/pause; tar -C $w/root -cf $w/layer.tar .
            d=$(sha256sum $w/layer.tar | cut -d' ' -f1)
            echo '{"architecture":"{{Architecture}}","os":"linux","config":{"Entrypoint":["/pause","-P"] },"rootfs":{"type":"layers","diff_ids":["sha256:'$d'"] } }' > $w/config.json
            echo '[{"Config":"config.json","RepoTags":["{{InfraImage}}"],"Layers":["layer.tar"]}]' > $w/manifest.json
            tar -C $w -cf {{archive}} manifest.json config.json layer.tar; rm -r $w
            """;
        return await CommandAsync("bash", "-c", script) == 0 ? archive : throw new InvalidOperationException("the infra image was not made");
    }

    private static string Architecture => System.Runtime.InteropServices.RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    // Shims name the socket of their containerd; what runs in a container has its root below the directory.
    private IEnumerable<int> Mine()
    {
        foreach (var directory in Directory.GetDirectories("/proc").Where(d => char.IsDigit(Path.GetFileName(d)[0])))
        {
            var pid = int.Parse(Path.GetFileName(directory), System.Globalization.CultureInfo.InvariantCulture);
            string text;
            try
            {
                var command = File.ReadAllText(Path.Combine(directory, "cmdline"));
                text = command.Length == 0 ? "" : command + Environment.NewLine + string.Join('\n', File.ReadLines(Path.Combine(directory, "mountinfo")).Take(1));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // ended meanwhile
            }

            if (pid != Environment.ProcessId && text.Contains(_directory + "/", StringComparison.Ordinal))
            {
                yield return pid;
            }
        }
    }

    private IEnumerable<string> Mounts() => File.ReadAllLines("/proc/self/mounts").Select(line => line.Split(' ')[1])
        .Where(path => path.StartsWith(_directory + "/", StringComparison.Ordinal)).Reverse();

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin").Split(':')
        .Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);

    private static async Task<int> CommandAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync(), process.WaitForExitAsync());
        return process.ExitCode;
    }
}
