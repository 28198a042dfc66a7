namespace Podhost.Kubelet.Containers.Security;

/// <summary>What of /proc and /sys a container does not see, or sees read-only; nothing with procMount Unmasked.</summary>
internal static class ProcMountPaths
{
    public static IReadOnlyList<string> Masked { get; } =
    [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    public static IReadOnlyList<string> ReadOnly { get; } = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    public static bool IsUnmasked(string? procMount) => procMount == "Unmasked";
}
