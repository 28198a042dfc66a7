using System.Globalization;
using Podhost.Configuration;

namespace Podhost.Doctor;

/// <summary>The checks of <c>podhost doctor</c>, also run before <c>podhost up</c>: pure functions of the machine.</summary>
internal static class MachineChecks
{
    private const long MinFreeBytes = 1L << 30;

    /// <summary>Default of evictionHard's imagefs.available.</summary>
    private const double PressureShare = 0.15;
    private const int CapSysResource = 24;
    private const int CapSysAdmin = 21;
    private const int MinInotifyInstances = 128;

    public static IReadOnlyList<Finding> All(IMachine machine, PodhostOptions options, bool running) =>
    [
        Root(machine),
        Capabilities(machine),
        Overlay(machine),
        Namespaces(machine),
        Cgroups(machine),
        Seccomp(machine),
        AppArmor(machine),
        OciRuntime(machine, options),
        Tool(machine, "conmon", "conmon", "it holds containers' output and exit codes while Podhost restarts", options),
        Tool(machine, "catatonit", "catatonit", "it is the infra container of every pod", options),
        Tool(machine, "nft", "nftables", "it writes the rules of masquerading, host ports and Services", options),
        BridgedTraffic(machine),
        Inotify(machine),
        Disk(machine, options),
        .. running ? [] : (Finding[])[Port(machine, options)],
        Kubectl(machine),
    ];

    private static Finding Root(IMachine machine) => machine.IsRoot
        ? Finding.Ok("user", "root")
        : Finding.Error("user", "not root", "namespaces, mounts and cgroups need root: run it with sudo");

    private static Finding Capabilities(IMachine machine)
    {
        var line = machine.Read("/proc/self/status")?.Split('\n').FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        if (line is null || !ulong.TryParse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var effective))
        {
            return Finding.Warning("capabilities", "unknown", "/proc/self/status cannot be read");
        }

        if ((effective & (1UL << CapSysAdmin)) == 0)
        {
            return Finding.Error("capabilities", "CAP_SYS_ADMIN is missing", "mounts and namespaces need it: give it to the process, or run on the host itself");
        }

        return (effective & (1UL << CapSysResource)) == 0
            ? Finding.Warning("capabilities", "CAP_SYS_RESOURCE is missing", "rlimits above the present hard limits and oom_score_adj below the present value are clamped")
            : Finding.Ok("capabilities", "complete");
    }

    private static Finding Overlay(IMachine machine) =>
        NodeModules.HasOverlay(machine) ? Finding.Ok("overlayfs", "there")
        : NodeModules.CanLoadOverlay(machine) ? Finding.Ok("overlayfs", "a module, loaded at the start")
        : Finding.Error("overlayfs", "not there", "images are stacked with it: modprobe overlay, or a kernel with CONFIG_OVERLAY_FS");

    private static Finding Namespaces(IMachine machine)
    {
        var missing = ((string[])["net", "pid", "ipc", "uts", "mnt"]).Where(n => !machine.Exists($"/proc/self/ns/{n}")).ToList();
        return missing.Count == 0
            ? Finding.Ok("namespaces", "net pid ipc uts mnt")
            : Finding.Error("namespaces", $"missing: {string.Join(' ', missing)}", "containers are made of them: use a kernel with CONFIG_NAMESPACES");
    }

    private static Finding Cgroups(IMachine machine)
    {
        if (machine.Read("/sys/fs/cgroup/cgroup.controllers") is { } controllers)
        {
            var missing = ((string[])["cpu", "memory", "pids"]).Where(c => !controllers.Split(' ', '\n').Contains(c)).ToList();
            return missing.Count == 0
                ? Finding.Ok("cgroups", "v2")
                : Finding.Error("cgroups", $"v2 without {string.Join(' ', missing)}", "limits need these controllers: enable them on the kernel command line");
        }

        var absent = ((string[])["cpu", "memory", "pids"]).Where(c => !machine.Exists($"/sys/fs/cgroup/{c}")).ToList();
        if (absent.Count > 0)
        {
            return Finding.Error("cgroups", $"v1 without {string.Join(' ', absent)}", "limits need these controllers: mount them below /sys/fs/cgroup");
        }

        return machine.Exists("/sys/fs/cgroup/unified")
            ? Finding.Ok("cgroups", "v1, hybrid (crun refuses this until hugetlb is mounted as v1; runc works)")
            : Finding.Ok("cgroups", "v1");
    }

    private static Finding Seccomp(IMachine machine) => machine.Read("/proc/self/status")?.Contains("Seccomp:", StringComparison.Ordinal) == true
        ? Finding.Ok("seccomp", "there")
        : Finding.Warning("seccomp", "not there", "profiles cannot be applied: pods that ask for one are refused");

    private static Finding AppArmor(IMachine machine) => machine.Exists("/sys/kernel/security/apparmor")
        ? Finding.Ok("AppArmor", "there")
        : Finding.Warning("AppArmor", "not there", "pods that ask for an AppArmor profile are refused; all others are unaffected");

    private static Finding OciRuntime(IMachine machine, PodhostOptions options)
    {
        if (options.ContainerRuntimeEndpoint is not null)
        {
            return Finding.Ok("OCI runtime", "not needed: another container runtime is configured");
        }

        var found = ((string[])["crun", "runc"]).Select(machine.Program).OfType<string>().ToList();
        return found.Count > 0
            ? Finding.Ok("OCI runtime", string.Join(", ", found))
            : Finding.Error("OCI runtime", "none", "containers are started by it: apt-get install crun (faster) or runc");
    }

    private static Finding Tool(IMachine machine, string program, string package, string why, PodhostOptions options)
    {
        if (options.ContainerRuntimeEndpoint is not null && program != "nft")
        {
            return Finding.Ok(program, "not needed: another container runtime is configured");
        }

        return machine.Program(program) is { } path
            ? Finding.Ok(program, path)
            : Finding.Error(program, "not there", $"{why}: apt-get install {package}");
    }

    private static Finding BridgedTraffic(IMachine machine) => NodeModules.BridgeSwitch(machine) switch
    {
        "1" => Finding.Ok("bridged traffic", "seen by netfilter"),
        null when NodeModules.CanLoadBridgeFilter(machine) => Finding.Ok("bridged traffic", "br_netfilter is a module, loaded at the start"),
        _ => Finding.Warning(
            "bridged traffic",
            "not seen by netfilter",
            "pods behind a Service see the bridge's address instead of their client's: modprobe br_netfilter, and sysctl net.bridge.bridge-nf-call-iptables=1"),
    };

    private static Finding Inotify(IMachine machine)
    {
        var text = machine.Read("/proc/sys/fs/inotify/max_user_instances");
        return int.TryParse(text, CultureInfo.InvariantCulture, out var instances) && instances < MinInotifyInstances
            ? Finding.Warning("inotify", $"{instances} instances", $"many followed logs need more: sysctl fs.inotify.max_user_instances={MinInotifyInstances}")
            : Finding.Ok("inotify", text?.Trim() is { } n ? $"{n} instances" : "there");
    }

    private static Finding Disk(IMachine machine, PodhostOptions options)
    {
        var (free, total) = machine.DiskBytes(options.DataDir);
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{free / (double)(1L << 30):F1} GiB ({100.0 * free / total:F0} %) free for {options.DataDir}");
        return free < MinFreeBytes ? Finding.Warning("disk", text, "images and logs need room: free some, or choose another --data-dir")
            : free < total * PressureShare ? Finding.Warning(
                "disk", text, "below 15 % the node has DiskPressure and takes no pods: free some, choose another --data-dir, or set evictionHard with --config")
            : Finding.Ok("disk", text);
    }

    private static Finding Port(IMachine machine, PodhostOptions options) => machine.PortProblem(options.BindAddress, options.SecurePort) is { } problem
        ? Finding.Error("port", $"{options.BindAddress}:{options.SecurePort}: {problem}", "another server listens there: stop it, or choose another --secure-port")
        : Finding.Ok("port", $"{options.SecurePort} is free");

    private static Finding Kubectl(IMachine machine) => machine.Program("kubectl") is { } path
        ? Finding.Ok("kubectl", path)
        : Finding.Warning("kubectl", "not there", "Podhost is driven with it: apt-get install kubernetes-client, or any newer kubectl");
}
