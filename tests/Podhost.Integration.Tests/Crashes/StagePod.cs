using System.Diagnostics;
using System.Globalization;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Crashes;

/// <summary>How far a pod is when it is struck.</summary>
internal enum Stage
{
    /// <summary>Its image is being pulled from a registry that does not answer.</summary>
    Pulling,

    /// <summary>The monitor of its container has begun and waits for the log to be opened; there is no process yet.</summary>
    Creating,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It is being deleted and its preStop hook runs.</summary>
    InHook,

    /// <summary>It is being deleted and its container does not mind the signal.</summary>
    InGrace,
}

/// <summary>Who is killed.</summary>
internal enum Victim
{
    /// <summary>None but podhost.</summary>
    Nobody,

    /// <summary>The container's process.</summary>
    Process,

    /// <summary>The container's conmon.</summary>
    Monitor,

    /// <summary>The infra (pause) process.</summary>
    Infra,

    /// <summary>These three.</summary>
    All,
}

/// <summary>A pod that is brought to a stage, struck there, and looked at afterwards.</summary>
internal sealed class StagePod
{
    private readonly Instance _instance;
    private readonly Kubectl _k;
    private readonly Stage _stage;
    private readonly Victim _victim;
    private readonly string _image;
    private readonly string _host;
    private FileStream? _log;
    private PodTraces? _traces;
    private string _uid = "";
    private string _before = "";
    private string _container = "";
    private int _infra;
    private int _process;
    private int _monitor;

    public StagePod(Instance instance, string name, Stage stage, Victim victim, string image)
    {
        (_instance, _k, Name, _stage, _victim) = (instance, instance.Kubectl, name, stage, victim);
        _image = stage == Stage.Pulling ? image : "busybox:stable";
        _host = Directory.CreateDirectory(Path.Combine(instance.Root, "stages", name)).FullName;
    }

    public string Name { get; }

    public string Manifest => $$$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{{Name}}}}
        spec:
          terminationGracePeriodSeconds: {{{(_stage is Stage.InHook or Stage.InGrace ? 3 : 1)}}}
          volumes: [{name: h, hostPath: {path: {{{_host}}}}}]
          containers:
          - name: main
            image: "{{{_image}}}"
            volumeMounts: [{name: h, mountPath: /host}]
            command: {{{(_stage == Stage.InGrace ? Deaf : "[sleep, \"1000\"]")}}}
            {{{StageMore()}}}
        """;

    private const string Deaf = """[sh, -c, "trap 'touch /host/here' TERM; touch /host/trapped; while :; do sleep 0.1; done"]""";

    private string StageMore() => _stage switch
    {
        Stage.InHook => """lifecycle: {preStop: {exec: {command: [sh, -c, "touch /host/here; sleep 1000"]}}}""",
        Stage.Creating => $"envFrom: [{{configMapRef: {{name: {Name}}}}}]",
        _ => "",
    };

    public async Task ReachAsync()
    {
        switch (_stage)
        {
            case Stage.Pulling:
                await _k.EventAsync(Name, "Pulling");
                await _k.WaitAsync(Name, "condition=PodReadyToStartContainers");
                break;
            case Stage.Creating:
                // Its sandbox is there, and its container misses something until the log is a pipe that nobody reads.
                await _k.WaitAsync(Name, ".status.containerStatuses[0].state.waiting.reason", "CreateContainerConfigError");
                break;
            default:
                await _k.ReadyAsync(Name);
                break;
        }

        var fields = (await _k.FieldAsync(Name, ".metadata.uid} {.status.podIP} {.status.containerStatuses[0].containerID")).Split(' ');
        (_uid, _before, _container) = (fields[0], string.Join(' ', fields[1..]), fields[2][(fields[2].LastIndexOf('/') + 1)..]);
        _traces = await PodTraces.OfAsync(_instance, _uid);
        _infra = PodTraces.InfraProcess(_instance, _uid, _container.Length == 0 ? [] : [_container]);
        switch (_stage)
        {
            case Stage.Creating:
                await BeginCreationAsync();
                break;
            case Stage.InHook or Stage.InGrace:
                await ShAsync(_stage == Stage.InGrace ? $"until [ -e {_host}/trapped ]; do sleep 0.1; done" : "true");
                await _k.OkAsync($"delete pod {Name} --wait=false");
                await ShAsync($"until [ -e {_host}/here ]; do sleep 0.1; done");
                break;
        }

        if (_container.Length > 0)
        {
            var cgroup = PodTraces.Cgroups(_instance, _uid).Select(c => Path.Combine(c, _container)).First(Directory.Exists);
            _process = int.Parse((await File.ReadAllLinesAsync(Path.Combine(cgroup, "cgroup.procs")))[0], CultureInfo.InvariantCulture);
            var pid = Path.Combine(_instance.ContainerDirectory(_container), "conmon.pid");
            _monitor = File.Exists(pid) ? int.Parse((await File.ReadAllTextAsync(pid)).Trim(), CultureInfo.InvariantCulture) : 0;
        }
    }

    /// <summary>kill -9.</summary>
    public void Strike()
    {
        int[] pids = _victim switch
        {
            Victim.Process => [_process],
            Victim.Monitor => [_monitor],
            Victim.Infra => [_infra],
            Victim.All => [_monitor, _infra, _process],
            _ => [],
        };
        foreach (var pid in pids)
        {
            Assert.NotEqual(0, pid);
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
    }

    /// <summary>What was held back goes on.</summary>
    public void Release()
    {
        if (_stage == Stage.Creating)
        {
            // For reading and writing: that does not wait for the other end.
            _log = new FileStream(LogFile, FileMode.Open, FileAccess.ReadWrite);
        }
    }

    public Task KeepsItsPromisesAsync() => _stage is Stage.InHook or Stage.InGrace ? IsGoneAsync() : RunsOnAsync();

    public async Task LeavesNothingAsync()
    {
        await _traces!.GoneAsync();
        await ShAsync($"while pgrep -f '{Pattern}'; do sleep 0.1; done");
        _log?.Dispose();
    }

    public async Task<string> DescribeAsync() => (await _k.RunAsync($"describe pod {Name}")).Out;

    private string LogFile => Path.Combine(_instance.Root, "logs", $"default_{Name}_{_uid}", "main", "0.log");

    // Finds the UID in the arguments of processes, but not in those of the shell that looks for it.
    private string Pattern => $"[{_uid[0]}]{_uid[1..]}";

    private async Task BeginCreationAsync()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(LogFile)!);
        await ShAsync($"mkfifo {LogFile}");
        await _k.OkAsync($"create configmap {Name} --from-literal=A=b");
        _monitor = int.Parse((await ShAsync($"until pgrep -f 'conmon .*{Pattern}'; do sleep 0.1; done")).Trim(), CultureInfo.InvariantCulture);
    }

    // It goes, in its grace and what a hook has left of it, and was not started again.
    private async Task IsGoneAsync()
    {
        await _k.OkAsync($"wait pod/{Name} --for=delete --timeout=20s");
        Assert.Equal(1, await ToldAsync("Started"));
        Assert.Equal(0, await ToldAsync("SandboxChanged"));
    }

    private async Task RunsOnAsync()
    {
        var sandboxDies = _victim is Victim.Infra or Victim.All;
        if (sandboxDies)
        {
            await _k.EventAsync(Name, "SandboxChanged");
        }

        var restarts = Restarts();
        await _k.WaitAsync(Name, ".status.containerStatuses[0].restartCount", $"{restarts}");
        await _k.ReadyAsync(Name);
        var now = await _k.FieldAsync(Name, ".status.podIP} {.status.containerStatuses[0].containerID");
        if (_stage == Stage.Running && _victim is Victim.Nobody or Victim.Monitor)
        {
            Assert.Equal(_before, now);
        }

        if (!sandboxDies)
        {
            Assert.Equal(0, await ToldAsync("SandboxChanged"));
            Assert.Equal(_before.Split(' ')[0], now.Split(' ')[0]);
        }

        if (_stage == Stage.Running && _victim == Victim.Process)
        {
            Assert.Equal("137 Error", await _k.FieldAsync(Name, ".status.containerStatuses[0].lastState.terminated.exitCode} {.status.containerStatuses[0].lastState.terminated.reason"));
        }

        await IsOnceAsync();
    }

    // A start that was interrupted counts, as upstream's does; what replaces a container that ran counts as well.
    private int Restarts() => _stage switch
    {
        Stage.Creating => 1,
        Stage.Running when _victim is Victim.Process or Victim.Infra or Victim.All => 1,
        _ => 0,
    };

    // The infra process and one container live; one monitor watches.
    private async Task IsOnceAsync()
    {
        bool Lives(string cgroup) => File.ReadAllText(Path.Combine(cgroup, "cgroup.procs")).Length > 0;
        string[] Living() => [.. PodTraces.Cgroups(_instance, _uid).Select(c => Directory.GetDirectories(c).Where(Lives).ToArray()).MaxBy(c => c.Length) ?? []];
        for (var attempt = 0; attempt < 200 && Living().Length != 2; attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System); // the sandbox before goes a moment after the new one began
        }

        Assert.True(Living().Length == 2, $"cgroups with processes: {string.Join(", ", Living())}");
        if (!Instance.OnContainerd)
        {
            // Nobody watches a container whose monitor was killed, until it ends.
            var monitors = _stage == Stage.Running && _victim == Victim.Monitor ? 0 : 1;
            Assert.Equal($"{monitors}\n", await ShAsync($"pgrep -fc 'conmon .*{Pattern}' || true"));
        }
    }

    private async Task<int> ToldAsync(string reason) => (await _k.OkAsync(
        $"get events --field-selector=involvedObject.name={Name},reason={reason} -o", "jsonpath={range .items[*]}{.count}{\"\\n\"}{end}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(c => int.Parse(c, CultureInfo.InvariantCulture));

    private static async Task<string> ShAsync(string script) => (await Shell.RunAsync("sh", ["-c", script])).Ok();
}
