using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Instances;

/// <summary>A Podhost of the tests' own: the real executable, with directories, ports, bridge, ranges and cgroup root that nothing else uses.</summary>
public sealed class Instance : IAsyncDisposable
{
    private readonly StringBuilder _log = new();
    private readonly int _number;
    private readonly string[] _more;
    private readonly string? _network;
    private readonly IReadOnlyList<string> _command;
    private Process? _process;
    private ContainerdProcess? _containerd;
    private OwnRuntime? _runtime;

    private Instance(int number, IReadOnlyList<string> command, string? network, string[] more)
    {
        _network = network;
        _number = number;
        _command = command;
        _more = more;
        Root = Directory.CreateTempSubdirectory("podhost-it-").FullName;
        // A pod with users of its own passes through the directory.
        File.SetUnixFileMode(Root, (UnixFileMode)0b111_001_001);
        StaticPods = Directory.CreateDirectory(Path.Combine(Root, "static")).FullName;
        SecurePort = Loopback.FreePort();
        KubeletPort = Loopback.FreePort();
        Kubectl = new Kubectl("kubectl", Kubeconfig);
        File.WriteAllText(OwnConfig, """
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            evictionHard: {memory.available: 20Mi}
            imageGCHighThresholdPercent: 100
            """);
    }

    // A machine whose disk is rather full is nothing that a test should see, unless it is about that and has a configuration of its own.
    private string OwnConfig => Path.Combine(Root, "kubelet.yaml");

    /// <summary>Everything of the instance is below it.</summary>
    public string Root { get; }

    /// <summary>The manifest directory.</summary>
    public string StaticPods { get; }

    /// <summary>Port of the API server.</summary>
    public int SecurePort { get; }

    /// <summary>Port of the kubelet.</summary>
    public int KubeletPort { get; }

    /// <summary>Name of the node.</summary>
    public string Node => $"it{_number}";

    /// <summary>A number that no other instance on this machine has, below 10,000.</summary>
    public int Number => _number;

    /// <summary>The embedded runtime's directory of a container, with its monitor's process id; none on another runtime.</summary>
    /// <param name="container">Its id.</param>
    public string ContainerDirectory(string container) => Path.Combine(Root, OnOwnRuntime ? "rt/run/conmon" : "run/conmon", container);

    /// <summary>Name of the bridge.</summary>
    public string Bridge => $"phit{_number}";

    /// <summary>Addresses of its Services, a range of each family; the tenth of the first is the cluster's DNS.</summary>
    public string ServiceCidr => Ranges($"10.{150 + (_number / 250)}.{_number % 250}.0/24", $"fd00:96:{_number}::/112");

    /// <summary>Parent cgroup of its pods.</summary>
    public string CgroupRoot => $"/podhost-it{_number}";

    /// <summary>The administrator's kubeconfig.</summary>
    public string Kubeconfig => Path.Combine(Root, "data", "admin.kubeconfig");

    /// <summary>kubectl of this machine as the administrator.</summary>
    public Kubectl Kubectl { get; }

    /// <summary>Process id of the running podhost.</summary>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("not running");

    /// <summary>What podhost printed.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>A started instance whose node is ready.</summary>
    /// <param name="more">More options.</param>
    public static Task<Instance> StartAsync(params string[] more) => StartCommandAsync(_ => ["up"], more);

    /// <summary>A started instance whose pods and Services have addresses of both families, or of IPv6 alone.</summary>
    /// <param name="withIPv4">IPv4 is there too, and the primary one.</param>
    public static Task<Instance> StartIPv6Async(bool withIPv4) => StartInAsync(null, _ => ["up"], [], withIPv4 ? [4, 6] : [6]);

    /// <summary>A started instance of another command: <c>kubelet</c> or <c>server</c>, with options that only this command has.</summary>
    /// <param name="command">The command and its options, from the instance's directory, which is there already.</param>
    /// <param name="more">More options.</param>
    public static Task<Instance> StartCommandAsync(Func<Instance, string[]> command, params string[] more) => StartInAsync(null, command, more);

    /// <summary>A started instance in a network namespace.</summary>
    /// <param name="network">Path of the namespace; null: this one.</param>
    /// <param name="command">As in <see cref="StartCommandAsync"/>.</param>
    /// <param name="more">More options.</param>
    public static Task<Instance> StartInAsync(string? network, Func<Instance, string[]> command, params string[] more) => StartInAsync(network, command, more, [4]);

    private static async Task<Instance> StartInAsync(string? network, Func<Instance, string[]> command, string[] more, int[] families)
    {
        // Two test runs on one machine do not meet: the process id is in the names and ranges.
        var words = new List<string>();
        var instance = new Instance((Environment.ProcessId % 1000 * 10) + Interlocked.Increment(ref s_count), words, network, more) { _families = families };
        words.AddRange(command(instance));
        if (OnContainerd)
        {
            instance._containerd = await ContainerdProcess.StartAsync(Path.Combine(instance.Root, "ctd"), instance.Bridge, instance.PodCidr);
        }

        if (OnOwnRuntime)
        {
            instance._runtime = await OwnRuntime.StartAsync(Path.Combine(instance.Root, "rt"),
                "--bridge", instance.Bridge, "--pod-cidr", instance.PodCidr, "--cgroup-root", instance.CgroupRoot, "--pod-logs-dir", Path.Combine(instance.Root, "logs"));
        }

        await instance.UpAsync();
        return instance;
    }

    /// <summary>PODHOST_TEST_RUNTIME=containerd: the pods of all instances run on a containerd of the tests', by CRI.</summary>
    public static bool OnContainerd { get; } = Environment.GetEnvironmentVariable("PODHOST_TEST_RUNTIME") == "containerd";

    /// <summary>PODHOST_TEST_RUNTIME=podhost: the pods of all instances run on the embedded runtime in another process, by CRI on a socket.</summary>
    public static bool OnOwnRuntime { get; } = Environment.GetEnvironmentVariable("PODHOST_TEST_RUNTIME") == "podhost";

    /// <summary>Loads a docker archive into the runtime.</summary>
    public async Task LoadImageAsync(string archive)
    {
        if (_containerd is not null)
        {
            await _containerd.ImportAsync(archive);
        }
        else
        {
            (await (_runtime?.PodhostAsync("image", "load", archive) ?? PodhostAsync("image", "load", archive))).Ok();
        }
    }

    private static int s_count;

    /// <summary>Starts podhost, and waits until the node is ready.</summary>
    public async Task UpAsync()
    {
        var notify = Path.Combine(Root, "ready.sock");
        File.Delete(notify);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(notify));
        var (file, arguments) = Inside(Executable.File, [.. Executable.Arguments, .. _command, .. Arguments()]);
        _process = Shell.Start(
            file, arguments, new Dictionary<string, string> { ["NOTIFY_SOCKET"] = notify });
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var ready = socket.ReceiveAsync(new byte[256], stop.Token).AsTask();
        if (await Task.WhenAny(ready, _process.WaitForExitAsync(stop.Token)) != ready || !ready.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException($"podhost did not become ready\n{Log}");
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await ExitedAsync();
    }

    /// <summary>SIGTERM, and its end.</summary>
    public async Task<int> TerminateAsync()
    {
        (await Shell.RunAsync("kill", ["-TERM", $"{ProcessId}"])).Ok();
        await ExitedAsync();
        return _process!.ExitCode;
    }

    // Waits for the process alone: WaitForExitAsync waits for the end of its output too, which a conmon that outlives it may hold.
    private async Task ExitedAsync()
    {
        if (!await Task.Run(() => _process!.WaitForExit(TimeSpan.FromSeconds(30))))
        {
            throw new TimeoutException($"podhost did not end\n{Log}");
        }
    }

    /// <summary>Another podhost command about this instance.</summary>
    public Task<Ran> PodhostAsync(params string[] arguments) => Shell.RunAsync(
        Executable.File, [.. Executable.Arguments, .. arguments, "--data-dir", Path.Combine(Root, "data"), "--run-dir", Path.Combine(Root, "run")]);

    /// <summary>Removes the pods, stops podhost, removes its traces; what is left then is a failure.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: true })
        {
            await UpAsync();
        }

        foreach (var manifest in Directory.GetFiles(StaticPods))
        {
            File.Delete(manifest);
        }

        // A pod's end of the bridge is named after its sandbox.
        var netns = Path.Combine(Root, OnOwnRuntime ? "rt/run" : "run", "netns");
        HashSet<string> devices = [Bridge, .. Directory.Exists(netns) ? Directory.GetFiles(netns).Select(f => "ph" + Path.GetFileName(f)[..12]) : []];

        // Their own grace is tested elsewhere.
        if (File.Exists(Kubeconfig))
        {
            await Kubectl.RunAsync("delete pods --all -A --grace-period=1 --wait=false");
        }

        var (file, arguments) = Inside(Executable.File, [.. Executable.Arguments, "reset", "--yes", .. Arguments()]);
        var reset = await Shell.RunAsync(file, arguments, deadline: TimeSpan.FromSeconds(90));
        await ExitedAsync();
        if (_containerd is not null)
        {
            await _containerd.DisposeAsync();
        }

        if (_runtime is not null)
        {
            await _runtime.DisposeAsync();
        }

        var leftovers = await LeftoversAsync(devices);
        Directory.Delete(Root, recursive: true);
        Assert.True(reset.Code == 0, $"reset: {reset}\n{Log}");
        Assert.True(leftovers.Count == 0, "left behind:\n" + string.Join('\n', leftovers));
    }

    // Not "ip netns exec", which mounts another /sys and so hides the cgroups.
    private (string File, string[] Arguments) Inside(string file, string[] arguments) =>
        _network is null ? (file, arguments) : ("nsenter", [$"--net={_network}", file, .. arguments]);

    private int[] _families = [4];

    private string PodCidr => Ranges($"10.{100 + (_number / 250)}.{_number % 250}.0/24", $"fd00:85:{_number}::/64");

    private string Ranges(string four, string six) => string.Join(',', _families.Select(family => family == 4 ? four : six));

    private IEnumerable<string> Arguments() =>
    [
        "--data-dir", Path.Combine(Root, "data"), "--run-dir", Path.Combine(Root, "run"), "--pod-logs-dir", Path.Combine(Root, "logs"),
        "--secure-port", $"{SecurePort}", "--kubelet-port", $"{KubeletPort}", "--node-name", Node, "--bridge", Bridge,
        .. _command.Contains("--pod-cidr-from-node") ? (string[])[] : ["--pod-cidr", PodCidr],
        .. _command.Contains("--service-cidr") ? (string[])[] : ["--service-cidr", ServiceCidr], "--cgroup-root", CgroupRoot, "--pod-manifest-path", StaticPods,
        .. _containerd is null ? (string[])[] : ["--container-runtime-endpoint", _containerd.Endpoint],
        .. _runtime is null ? (string[])[] : ["--container-runtime-endpoint", _runtime.Endpoint],
        .. _command.Concat(_more).Contains("--config") ? (string[])[] : ["--config", OwnConfig],
        .. _more,
    ];

    private async Task<List<string>> LeftoversAsync(HashSet<string> devices)
    {
        var found = new List<string>();
        found.AddRange(Processes().Where(p => p.Contains(Root, StringComparison.Ordinal)).Select(p => $"process {p}"));
        found.AddRange(File.ReadLines("/proc/self/mounts").Where(m => m.Contains(Root, StringComparison.Ordinal)).Select(m => $"mount {m}"));
        found.AddRange(Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(c => c + CgroupRoot).Where(Directory.Exists)
            .Select(c => $"cgroup {c}"));
        found.AddRange(Directory.GetDirectories("/sys/class/net").Select(d => Path.GetFileName(d)!).Where(devices.Contains).Select(d => $"device {d}"));
        var (nft, list) = Inside("nft", ["list", "ruleset"]);
        var ranges = string.Join('|', PodCidr.Split(',').Concat(ServiceCidr.Split(',')).Select(Regex.Escape));
        var own = new Regex($@"{Bridge}(?!\d)|(?<![\d.])({ranges})");
        found.AddRange((await Shell.RunAsync(nft, list)).Ok().Split('\n').Where(l => own.IsMatch(l)).Select(l => $"nftables {l.Trim()}"));
        found.AddRange(new[] { "data", "run" }.Select(d => Path.Combine(Root, d)).Where(Directory.Exists).Select(d => $"directory {d}"));
        return found;
    }

    private static IEnumerable<string> Processes()
    {
        foreach (var directory in Directory.GetDirectories("/proc").Where(d => char.IsDigit(Path.GetFileName(d)[0])))
        {
            string commandLine;
            try
            {
                commandLine = File.ReadAllText(Path.Combine(directory, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                continue; // ended meanwhile
            }

            yield return $"{Path.GetFileName(directory)} {commandLine}";
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
