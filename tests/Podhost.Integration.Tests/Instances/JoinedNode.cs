using System.Diagnostics;
using System.Text;

namespace Podhost.Integration.Tests.Instances;

/// <summary>A second node of an instance: <c>podhost kubelet --kubeconfig</c>, with directories, bridge and range of its own.</summary>
public sealed class JoinedNode : IAsyncDisposable
{
    private readonly Instance _instance;
    private readonly string[] _arguments;
    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private JoinedNode(Instance instance, string[] more)
    {
        _instance = instance;
        _arguments = [.. Arguments(), .. more];

        // Not a child: that a child stops and goes on disturbs its parent's waiting for others.
        _process = Shell.Start("setsid", ["-f", Executable.File, .. Executable.Arguments, "kubelet", "--kubeconfig", instance.Kubeconfig, .. _arguments]);
        _process.OutputDataReceived += (_, line) => _log.AppendLine(line.Data);
        _process.ErrorDataReceived += (_, line) => _log.AppendLine(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Name of the node.</summary>
    public string Name => $"it{_instance.Number}b";

    private string Root => Path.Combine(_instance.Root, "joined");

    /// <summary>A node that is ready.</summary>
    public static async Task<JoinedNode> StartAsync(Instance instance, params string[] more)
    {
        var node = new JoinedNode(instance, more);
        await node.WaitAsync("condition=Ready=True", "create");
        return node;
    }

    /// <summary>Waits for the node's object, by kubectl wait.</summary>
    public async Task WaitAsync(string condition, string? first = null)
    {
        if (first is not null)
        {
            (await _instance.Kubectl.RunAsync($"wait node/{Name} --for={first} --timeout=40s")).Ok();
        }

        var ran = await _instance.Kubectl.RunAsync($"wait node/{Name} --timeout=40s", $"--for={condition}");
        Assert.True(ran.Code == 0, $"{condition}: {ran.Error}\n{(await _instance.Kubectl.RunAsync($"describe node {Name}")).Out}\n{_log}");
    }

    /// <summary>Loads an image archive.</summary>
    public async Task LoadImageAsync(string archive) => (await Shell.RunAsync(
        Executable.File, [.. Executable.Arguments, "image", "load", archive, "--data-dir", Path.Combine(Root, "data"), "--run-dir", Path.Combine(Root, "run")])).Ok();

    /// <summary>Sends the kubelet a signal, for example STOP.</summary>
    public async Task SignalAsync(string name) => (await Shell.RunAsync("pkill", [$"-{name}", "-f", $"kubelet --kubeconfig {_instance.Kubeconfig}"])).Ok();

    /// <summary>Removes the node with its pods.</summary>
    public async ValueTask DisposeAsync()
    {
        await SignalAsync("CONT");
        await _instance.Kubectl.RunAsync("delete pods --all -A --grace-period=0 --force --wait=false");
        var reset = await Shell.RunAsync(Executable.File, [.. Executable.Arguments, "reset", "--yes", .. _arguments], deadline: TimeSpan.FromSeconds(90));
        _process.Dispose();
        Assert.True(reset.Code == 0, $"reset: {reset}\n{_log}");
    }

    private string[] Arguments() =>
    [
        "--data-dir", Path.Combine(Root, "data"), "--run-dir", Path.Combine(Root, "run"), "--pod-logs-dir", Path.Combine(Root, "logs"),
        "--kubelet-port", "0", "--node-name", Name, "--bridge", _instance.Bridge + "b", "--cgroup-root", _instance.CgroupRoot + "b",
        "--pod-cidr", $"10.{200 + (_instance.Number / 250)}.{_instance.Number % 250}.0/24",
    ];
}
