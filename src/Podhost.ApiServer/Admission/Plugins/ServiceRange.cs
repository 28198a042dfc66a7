using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Podhost.Api.Addresses;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>
/// A range of Service addresses, IPv4 or IPv6. Its first address is the API server's Service's; the tenth and the eleventh are kept for the cluster DNS;
/// those of the network and, of IPv4, of the broadcast are nobody's.
/// </summary>
public sealed class ServiceRange
{
    private const int ApiServer = 1;
    private const int ClusterDns = 10;
    private const int DnsServer = 11;
    private readonly UInt128 _start;
    private readonly ulong _count;

    /// <summary>A range.</summary>
    /// <param name="network">IPv4 with a prefix between /8 and /28, or IPv6 with one between /64 and /124.</param>
    public ServiceRange(IPNetwork network)
    {
        var isIPv6 = network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        if (isIPv6 ? network.PrefixLength is < 64 or > 124 : network.PrefixLength is < 8 or > 28)
        {
            throw new ArgumentException($"the service range {network} must have a prefix between {(isIPv6 ? "/64 and /124" : "/8 and /28")}", nameof(network));
        }

        Network = network;
        Family = isIPv6 ? "IPv6" : "IPv4";
        _start = AddressNumber.Of(network.BaseAddress);
        _count = network.PrefixLength == 64 ? long.MaxValue : (1ul << ((isIPv6 ? 128 : 32) - network.PrefixLength)) - 3;
    }

    /// <summary>The range.</summary>
    public IPNetwork Network { get; }

    /// <summary>IPv4 or IPv6, as ipFamilies says it.</summary>
    public string Family { get; }

    /// <summary>The address of the Service <c>kubernetes</c>: the first of the range.</summary>
    public IPAddress ApiServerAddress => At(ApiServer);

    /// <summary>The address of the cluster DNS, kept for it: the tenth of the range, as everywhere.</summary>
    public IPAddress ClusterDnsAddress => At(ClusterDns);

    /// <summary>An address of the DNS server's own, kept for nodes whose pod network has none for it: the eleventh of the range.</summary>
    public IPAddress DnsServerAddress => At(DnsServer);

    /// <summary>A random address that is not taken; null: there is none.</summary>
    internal string? Free(Func<string, bool> isTaken)
    {
        string[] kept = [ClusterDnsAddress.ToString(), DnsServerAddress.ToString()];
        var start = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) % _count;
        for (var i = 0ul; i < _count; i++)
        {
            var candidate = At(ApiServer + 1 + ((start + i) % _count)).ToString();
            if (!isTaken(candidate) && !kept.Contains(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    private IPAddress At(ulong offset) => AddressNumber.ToAddress(_start + offset, Network.BaseAddress.AddressFamily);
}
