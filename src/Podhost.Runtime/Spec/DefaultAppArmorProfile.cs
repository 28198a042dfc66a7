using System.Text;

namespace Podhost.Runtime.Spec;

/// <summary>
/// The AppArmor profile of containers that ask for RuntimeDefault or for nothing, where the kernel enforces AppArmor. It allows what a container's
/// capabilities and mounts allow, and denies, whatever these are: mounts, writes to what of /proc and /sys concerns the whole machine, and signals
/// and tracing across its border. Pure.
/// </summary>
internal static class DefaultAppArmorProfile
{
    /// <summary>The profile's name in the kernel.</summary>
    internal const string Name = "podhost-default";

    // What concerns the whole machine, by what may not be done with it: w writes, k locks, l links, x executes, r reads. A pod's own kernel
    // parameters are written before its containers start.
    private static readonly (string Path, string Denied)[] Denied =
    [
        ("/proc/*", "w"), // Files of the top: sysrq-trigger, mtrr and others; not directories.
        ("/proc/{acpi,asound,bus,driver,dynamic_debug,fs,irq,mdio,mpt,pressure,scsi,sysvipc,tty}/**", "w"),
        ("/proc/sys/**", "w"),
        ("/proc/{kcore,sysrq-trigger}", "rwklx"),
        ("/sys/{block,bus,class,dev,devices,hypervisor,kernel,module,power}/**", "wklx"),
        ("/sys/fs/{bpf,btrfs,erofs,ext4,f2fs,fuse,nfs,pstore,resctrl,selinux,smackfs,xfs}/**", "wklx"),
        ("/sys/firmware/**", "rwklx"),
        ("/sys/devices/virtual/powercap/**", "rwklx"),
        ("/sys/kernel/{debug,security,tracing}/**", "rwklx"),
    ];

    // Profiles of the OCI runtimes and of conmon, where a distribution confines these: they stop containers.
    private static readonly string[] Senders = ["unconfined", "runc", "crun", "conmon"];

    /// <summary>The profile in the language of apparmor_parser(8).</summary>
    internal static string Text()
    {
        var text = new StringBuilder();
        text.Append("profile ").Append(Name).Append(" flags=(attach_disconnected,mediate_deleted) {\n  network,\n  capability,\n  file,\n  umount,\n");
        foreach (var sender in Senders)
        {
            text.Append("  signal (receive) peer=").Append(sender).Append(",\n");
        }

        text.Append("  signal (send,receive) peer=").Append(Name).Append(",\n");
        text.Append("  ptrace (trace,read,tracedby,readby) peer=").Append(Name).Append(",\n");
        foreach (var (path, denied) in Denied)
        {
            text.Append("  deny ").Append(path).Append(' ').Append(denied).Append(",\n");
        }

        return text.Append("  deny mount,\n}\n").ToString();
    }
}
