using System.Net;
using System.Net.Sockets;

namespace Podhost.Linux.Nftables;

/// <summary>A family of tables of nftables, with the words that its rules use (nft(8), "Address families").</summary>
/// <param name="Name">Of tables, and of the header in rules: ip or ip6.</param>
/// <param name="AddressType">The type of its addresses in sets and maps.</param>
/// <param name="Number">As the kernel numbers it (NFPROTO_IPV4, NFPROTO_IPV6).</param>
public sealed record NftFamily(string Name, string AddressType, byte Number)
{
    /// <summary>IPv4.</summary>
    public static readonly NftFamily IPv4 = new("ip", "ipv4_addr", 2);

    /// <summary>IPv6.</summary>
    public static readonly NftFamily IPv6 = new("ip6", "ipv6_addr", 10);

    /// <summary>Of an address family.</summary>
    public AddressFamily Addresses => Number == IPv6.Number ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    /// <summary>The family of an address.</summary>
    /// <param name="address">The address.</param>
    public static NftFamily Of(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? IPv6 : IPv4;
    }

    /// <summary>The family of a range.</summary>
    /// <param name="range">The range.</param>
    public static NftFamily Of(IPNetwork range) => Of(range.BaseAddress);

    /// <summary>An address and a port as rules write them.</summary>
    /// <param name="address">An address of this family.</param>
    /// <param name="port">The port.</param>
    public string Endpoint(string address, int port) => Number == IPv6.Number ? $"[{address}]:{port}" : $"{address}:{port}";
}
