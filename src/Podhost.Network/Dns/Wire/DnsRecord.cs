using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Podhost.Network.Dns.Wire;

/// <summary>A record of class IN.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="Type">Its type.</param>
/// <param name="Ttl">How long it may be kept, in seconds.</param>
/// <param name="Data">What it says.</param>
internal sealed record DnsRecord(DnsName Name, DnsType Type, uint Ttl, DnsData Data);

/// <summary>
/// The data of a record: bytes, then names, then bytes. Every type whose names may be compressed has this shape; of others the bytes are all.
/// </summary>
/// <param name="Prefix">Bytes before the names.</param>
/// <param name="Names">Names.</param>
/// <param name="Suffix">Bytes after the names.</param>
internal sealed record DnsData(byte[] Prefix, IReadOnlyList<DnsName> Names, byte[] Suffix)
{
    /// <summary>A or AAAA.</summary>
    public static DnsData Of(IPAddress address) => new(address.GetAddressBytes(), [], []);

    /// <summary>CNAME, NS, PTR.</summary>
    public static DnsData Of(DnsName name) => new([], [name], []);

    /// <summary>TXT: one string of at most 255 bytes.</summary>
    public static DnsData Text(string text) => new([(byte)text.Length, .. Encoding.ASCII.GetBytes(text)], [], []);

    /// <summary>HINFO: two strings.</summary>
    public static DnsData HostInfo(string cpu, string system) => new([.. Text(cpu).Prefix, .. Text(system).Prefix], [], []);

    /// <summary>SRV. Source: RFC 2782.</summary>
    public static DnsData Service(int priority, int weight, int port, DnsName target)
    {
        var prefix = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(prefix, (ushort)priority);
        BinaryPrimitives.WriteUInt16BigEndian(prefix.AsSpan(2), (ushort)weight);
        BinaryPrimitives.WriteUInt16BigEndian(prefix.AsSpan(4), (ushort)port);
        return new DnsData(prefix, [target], []);
    }

    /// <summary>SOA; the last of its numbers is how long a denial may be kept.</summary>
    public static DnsData Authority(DnsName server, DnsName mailbox, params ReadOnlySpan<uint> numbers)
    {
        var suffix = new byte[4 * numbers.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(suffix.AsSpan(4 * i), numbers[i]);
        }

        return new DnsData([], [server, mailbox], suffix);
    }

    /// <summary>The bytes before the names of a type and how many names there are; null: a type without names that may be compressed.</summary>
    internal static (int Prefix, int Names)? Shape(DnsType type) => type switch
    {
        DnsType.CName or DnsType.NS or DnsType.Ptr or DnsType.DName => (0, 1),
        DnsType.MX => (2, 1),
        DnsType.Srv => (6, 1),
        DnsType.Soa => (0, 2),
        _ => null,
    };

    /// <summary>The address of an A or AAAA record.</summary>
    public IPAddress Address => new(Prefix);
}
