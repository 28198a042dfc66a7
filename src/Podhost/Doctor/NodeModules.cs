using Podhost.Linux.Modules;

namespace Podhost.Doctor;

/// <summary>The modules that a node needs loaded: overlay stacks images, br_netfilter shows the traffic between pods of a bridge to Services.</summary>
internal static class NodeModules
{
    private const string Overlay = "overlay";
    private const string BridgeFilter = "br_netfilter";

    /// <summary>The kernel can do it now.</summary>
    public static bool HasOverlay(IMachine machine) => machine.Read("/proc/filesystems")?.Split('\n', '\t').Contains(Overlay) == true;

    /// <summary>The switch of bridged traffic as the kernel shows it; null: not there.</summary>
    public static string? BridgeSwitch(IMachine machine) => machine.Read("/proc/sys/net/bridge/bridge-nf-call-iptables")?.Trim();

    /// <summary>A module that is not loaded, and that a start can load.</summary>
    public static bool CanLoad(IMachine machine, string module)
    {
        var directory = $"/lib/modules/{machine.Read("/proc/sys/kernel/osrelease")?.Trim()}";
        return machine.Program("modprobe") is not null && machine.Read($"{directory}/modules.dep") is { } list && KernelModules.Lists(list, module);
    }

    /// <summary>overlay can be loaded.</summary>
    public static bool CanLoadOverlay(IMachine machine) => CanLoad(machine, Overlay);

    /// <summary>br_netfilter can be loaded; its switch is on then.</summary>
    public static bool CanLoadBridgeFilter(IMachine machine) => CanLoad(machine, BridgeFilter);

    /// <summary>What is to be loaded before a start.</summary>
    public static IReadOnlyList<string> Wanted(IMachine machine) =>
    [
        .. !HasOverlay(machine) && CanLoadOverlay(machine) ? (string[])[Overlay] : [],
        .. BridgeSwitch(machine) is null && CanLoadBridgeFilter(machine) ? (string[])[BridgeFilter] : [],
    ];

    /// <summary>Loads what is wanted. What fails is found by the checks that follow.</summary>
    public static async Task LoadAsync(IMachine machine, CancellationToken cancellationToken)
    {
        if (Wanted(machine) is { Count: > 0 } wanted)
        {
            await KernelModules.LoadAsync(wanted, cancellationToken);
        }
    }
}
