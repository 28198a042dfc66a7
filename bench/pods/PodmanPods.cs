namespace Podhost.Bench.Pods;

/// <summary>podman kube play of an equal pod, with images and containers in directories of its own.</summary>
/// <param name="runtime">The OCI runtime that podhost uses: both drive the same one.</param>
internal sealed class PodmanPods(string runtime, string directory)
{
    // The bridge that podman numbers first and leaves behind.
    private const string Bridge = "/sys/class/net/cni-podman1";
    private readonly bool _hadBridge = Directory.Exists(Bridge);

    private string Settings => Path.Combine(directory, "containers.conf");

    /// <summary>The time of the command: podman has no watch, it returns when the containers are started.</summary>
    internal async Task<Samples> MeasureAsync(string archive, int count)
    {
        Directory.CreateDirectory(directory);
        // podman's own default raises limits, which a machine without CAP_SYS_RESOURCE refuses.
        await File.WriteAllTextAsync(Settings, "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
            + $"[network]\nnetwork_config_dir = \"{directory}/net.d\"\n");
        await Command.RunAsync("env", Podman("load", "--quiet", "--input", archive));
        var samples = new Samples();
        await RoundAsync("podhost-bench-warm", new Samples());
        for (var i = 0; i < count; i++)
        {
            await RoundAsync($"podhost-bench-{i}", samples);
        }

        await Command.TryRunAsync("env", Podman("rmi", "--all", "--force"));
        await Command.TryRunAsync("sh", "-c", "! mountpoint -q \"$0\" || umount \"$0\"", Path.Combine(directory, "root", "overlay"));
        if (!_hadBridge && Directory.Exists(Bridge))
        {
            await Command.TryRunAsync("ip", "link", "delete", Path.GetFileName(Bridge));
        }

        return samples;
    }

    private async Task RoundAsync(string name, Samples samples)
    {
        var manifest = Path.Combine(directory, name + ".json");
        await File.WriteAllTextAsync(manifest, SamplePod.Manifest(name));
        try
        {
            await samples.MeasureAsync(() => Command.RunDetachedAsync("env", Podman("kube", "play", manifest)));
        }
        finally
        {
            await Command.TryRunAsync("env", Podman("pod", "rm", "--force", "--time", "0", name));
        }
    }

    private string[] Podman(params string[] arguments) =>
    [
        $"CONTAINERS_CONF={Settings}", "podman", "--root", Path.Combine(directory, "root"), "--runroot", Path.Combine(directory, "run"),
        "--cgroup-manager", "cgroupfs", "--runtime", runtime, .. arguments,
    ];
}
