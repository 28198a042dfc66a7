using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Podhost.Runtime.Network;

/// <summary>The kernel's settings for IPv6 (ip-sysctl, /proc/sys/net/ipv6) that the pod network needs. A kernel without IPv6 has none of them.</summary>
internal static class IPv6Settings
{
    private const string Root = "/proc/sys/net/ipv6/conf";
    private const string GlobalScope = "00";

    /// <summary>
    /// Prepares the network namespace of the calling thread, whose interfaces are yet to come: nobody on the bridge may tell a pod its routes
    /// (router advertisements), and addresses are used at once, for nobody else can have them.
    /// </summary>
    /// <param name="ranges">The ranges of pods: with one of IPv6 it is not switched off.</param>
    internal static void OfNewNamespace(IReadOnlyList<IPNetwork> ranges)
    {
        if (ranges.Any(range => range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6))
        {
            Write("all/disable_ipv6", "0");
        }

        Write("default/accept_ra", "0");
        Write("default/accept_dad", "0");
    }

    /// <summary>Prepares the bridge: pods are no routers of the node.</summary>
    /// <param name="bridge">The bridge.</param>
    /// <param name="isUsed">It is to have an address of IPv6, also where new interfaces have it switched off.</param>
    internal static void OfBridge(string bridge, bool isUsed)
    {
        Write($"{bridge}/accept_ra", "0");
        if (isUsed)
        {
            Write($"{bridge}/accept_dad", "0");
            Write($"{bridge}/disable_ipv6", "0");
        }
    }

    /// <summary>
    /// Lets the node forward. A router takes no route from other routers (accept_ra 1): interfaces that did until now go on doing so (2), or the node
    /// would lose its default route.
    /// </summary>
    internal static void EnsureForwarding()
    {
        if (Read("all/forwarding") == "1")
        {
            return;
        }

        foreach (var path in Directory.EnumerateDirectories(Root))
        {
            var name = Path.GetFileName(path);
            if (name != "all" && Read($"{name}/accept_ra") == "1" && Read($"{name}/forwarding") == "0")
            {
                Write($"{name}/accept_ra", "2");
            }
        }

        File.WriteAllText($"{Root}/all/forwarding", "1");
    }

    /// <summary>Addresses of an interface that are valid everywhere, with their prefix (/proc/net/if_inet6).</summary>
    /// <param name="name">The interface.</param>
    internal static IReadOnlyList<(IPAddress BaseAddress, int PrefixLength)> AddressesOf(string name)
    {
        const string list = "/proc/net/if_inet6";
        return !File.Exists(list) ? [] :
        [
            .. File.ReadLines(list)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(parts => parts is [_, _, _, GlobalScope, _, var device] && device == name)
                .Select(parts => (new IPAddress(Convert.FromHexString(parts[0])), int.Parse(parts[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture))),
        ];
    }

    private static string? Read(string name) => File.Exists($"{Root}/{name}") ? File.ReadAllText($"{Root}/{name}").Trim() : null;

    private static void Write(string name, string value)
    {
        if (File.Exists($"{Root}/{name}"))
        {
            File.WriteAllText($"{Root}/{name}", value);
        }
    }
}
