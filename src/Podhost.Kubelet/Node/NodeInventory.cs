using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using k8s.Models;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Node;

/// <summary>What this machine is and has. Read once: neither changes while the kubelet runs.</summary>
public sealed class NodeInventory
{
    private NodeInventory(KubeletOptions options)
    {
        HostIPs = options.NodeAddresses.Count > 0 ? options.NodeAddresses : [DefaultAddress()];
        Resources = ReadResources(options);
        Info = ReadInfo(options);
    }

    /// <summary>Addresses of the node, primary first.</summary>
    public IReadOnlyList<string> HostIPs { get; }

    /// <summary>Capacity and allocatable.</summary>
    public NodeResources Resources { get; }

    /// <summary>status.nodeInfo without the runtime's version.</summary>
    public V1NodeSystemInfo Info { get; }

    /// <summary>Reads the machine.</summary>
    /// <exception cref="FormatException">A reserved quantity of the options is malformed.</exception>
    public static NodeInventory Read(KubeletOptions options) => new(options);

    /// <summary>kubernetes.io/arch of this machine.</summary>
    public static string Architecture => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static NodeResources ReadResources(KubeletOptions options)
    {
        var memory = MemoryTotal();
        var capacity = new Dictionary<string, decimal>(StringComparer.Ordinal)
        {
            [ResourceNames.Cpu] = Environment.ProcessorCount,
            [ResourceNames.Memory] = memory,
            [ResourceNames.EphemeralStorage] = DiskTotal(options.RootDirectory),
            ["pods"] = options.MaxPods,
        };
        var huge = HugePages.Read("/sys/kernel/mm/hugepages");
        Quantities.Add(capacity, huge);
        var reserved = Sum(options.SystemReserved, options.KubeReserved);
        var enforced = memory - (long)reserved.Get(ResourceNames.Memory);
        Quantities.Add(reserved, KeptFree(options.Eviction, capacity));
        var allocatable = capacity.ToDictionary(c => c.Key, c => Math.Max(0, c.Value - reserved.GetValueOrDefault(c.Key)));

        // Pages that are set aside are no memory for anything else.
        allocatable[ResourceNames.Memory] = Math.Max(0, allocatable[ResourceNames.Memory] - huge.Values.Sum());
        return new NodeResources(Print(capacity), Print(allocatable)) { EnforcedMemoryBytes = enforced };
    }

    /// <summary>What hard eviction thresholds keep free (upstream's hardEvictionReservation).</summary>
    private static Dictionary<string, decimal> KeptFree(EvictionOptions eviction, Dictionary<string, decimal> capacity)
    {
        var kept = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var threshold in eviction.Thresholds().Where(t => t.IsHard))
        {
            var resource = threshold.Signal switch
            {
                EvictionSignal.MemoryAvailable => ResourceNames.Memory,
                EvictionSignal.NodeFsAvailable => ResourceNames.EphemeralStorage,
                _ => null,
            };
            if (resource is not null)
            {
                kept[resource] = threshold.Value.Of(Podhost.Api.Quantities.Quantity.FromValue((long)capacity[resource])).Value;
            }
        }

        return kept;
    }

    private static Dictionary<string, decimal> Sum(params IReadOnlyDictionary<string, string>[] lists)
    {
        var sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var list in lists)
        {
            Quantities.Add(sum, list.ToDictionary(e => e.Key, e => Parse(e.Key, e.Value)));
        }

        return sum;
    }

    private static decimal Parse(string name, string text) =>
        Quantities.TryParse(text) ?? throw new FormatException($"{name}: \"{text}\" is no quantity");

    private static Dictionary<string, ResourceQuantity> Print(Dictionary<string, decimal> amounts) =>
        amounts.ToDictionary(a => a.Key, a => new ResourceQuantity(Text(a.Key, a.Value)), StringComparer.Ordinal);

    /// <summary>As upstream prints it: CPU in cores or millicores, memory in Ki, disk in bytes or Ki.</summary>
    private static string Text(string resource, decimal amount)
    {
        var c = CultureInfo.InvariantCulture;
        if (resource == ResourceNames.Cpu)
        {
            return amount == decimal.Truncate(amount) ? ((long)amount).ToString(c) : ((long)(amount * 1000)).ToString(c) + "m";
        }

        var whole = (long)amount;
        if (ResourceNames.IsHugePages(resource))
        {
            return Podhost.Api.Quantities.Quantity.FromValue(whole, Podhost.Api.Quantities.QuantityFormat.BinarySI).ToString();
        }

        return resource == "pods" || whole % 1024 != 0 ? whole.ToString(c) : (whole / 1024).ToString(c) + "Ki";
    }

    private static long MemoryTotal()
    {
        foreach (var line in File.ReadLines("/proc/meminfo"))
        {
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal))
            {
                return long.Parse(line.AsSpan(9, line.Length - 9 - 2).Trim(), NumberStyles.None, CultureInfo.InvariantCulture) * 1024;
            }
        }

        throw new InvalidOperationException("/proc/meminfo has no MemTotal");
    }

    private static long DiskTotal(string directory)
    {
        Directory.CreateDirectory(directory);
        return new DriveInfo(directory).TotalSize;
    }

    private static V1NodeSystemInfo ReadInfo(KubeletOptions options) => new()
    {
        Architecture = Architecture,
        BootID = FirstLine("/proc/sys/kernel/random/boot_id"),
        ContainerRuntimeVersion = "",
        KernelVersion = FirstLine("/proc/sys/kernel/osrelease"),
        KubeProxyVersion = "",
        KubeletVersion = options.Version,
        MachineID = FirstLine("/etc/machine-id"),
        OperatingSystem = "linux",
        OsImage = OsRelease(),
        SystemUUID = FirstLine("/sys/class/dmi/id/product_uuid") is { Length: > 0 } uuid ? uuid.ToLowerInvariant() : FirstLine("/etc/machine-id"),
    };

    private static string OsRelease()
    {
        const string key = "PRETTY_NAME=";
        foreach (var path in (string[])["/etc/os-release", "/usr/lib/os-release"])
        {
            if (File.Exists(path) && File.ReadLines(path).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal)) is { } line)
            {
                return line[key.Length..].Trim('"', '\'');
            }
        }

        return "Linux";
    }

    /// <summary>The file's first line; empty where this machine does not have it.</summary>
    private static string FirstLine(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault("").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The address that packets to elsewhere would leave from; nothing is sent.</summary>
    private static string DefaultAddress()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(IPAddress.Parse("192.0.2.1"), 9);
            return ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException)
        {
            return NetworkInterface.GetAllNetworkInterfaces()
                .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .SelectMany(i => i.GetIPProperties().UnicastAddresses)
                .Select(a => a.Address)
                .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork, IPAddress.Loopback)
                .ToString();
        }
    }
}
