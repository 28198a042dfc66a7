using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Podhost.Api.Validation;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>An address.</summary>
internal sealed record CelIp(IPAddress Address)
{
    /// <summary>Bytes of the address, for costs.</summary>
    public int Size => Address.AddressFamily == AddressFamily.InterNetwork ? 4 : 16;

    public override string ToString() => Address.ToString();
}

/// <summary>A network: the address as it was written, and the bits of its prefix.</summary>
internal sealed record CelCidr(IPAddress Address, int Prefix)
{
    /// <summary>Bytes that a comparison looks at, for costs.</summary>
    public int Size => (Prefix + 7) / 8;

    public CelCidr Masked => new(new IPNetwork(Mask(Address, Prefix), Prefix).BaseAddress, Prefix);

    /// <summary>True where the address is of the network.</summary>
    public bool Contains(IPAddress address) =>
        address.AddressFamily == Address.AddressFamily && Mask(address, Prefix).Equals(Mask(Address, Prefix));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{Prefix}");

    private static IPAddress Mask(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var bits = Math.Clamp(prefix - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - bits));
        }

        return new IPAddress(bytes);
    }
}

/// <summary>The ip and cidr libraries.</summary>
internal static class Networks
{
    public static void AddTo(FunctionTable t)
    {
        Addresses(t);
        t.Add("cidr", "string_to_cidr", "(string) CIDR", a => Cidr((string)a[0]));
        t.Add("isCIDR", "is_cidr", "(string) bool", a => Boxes.Of(Cidr((string)a[0]) is CelCidr));
        t.Add("containsIP", "cidr_contains_ip_string", "CIDR.(string) bool",
            a => Ip((string)a[1]) is CelIp ip ? Boxes.Of(((CelCidr)a[0]).Contains(ip.Address)) : Ip((string)a[1]));
        t.Add("containsIP", "cidr_contains_ip_ip", "CIDR.(IP) bool", a => Boxes.Of(((CelCidr)a[0]).Contains(((CelIp)a[1]).Address)));
        t.Add("containsCIDR", "cidr_contains_cidr_string", "CIDR.(string) bool",
            a => Cidr((string)a[1]) is CelCidr other ? Contains((CelCidr)a[0], other) : Cidr((string)a[1]));
        t.Add("containsCIDR", "cidr_contains_cidr", "CIDR.(CIDR) bool", a => Contains((CelCidr)a[0], (CelCidr)a[1]));
        t.Add("ip", "cidr_ip", "CIDR.() IP", a => new CelIp(((CelCidr)a[0]).Address));
        t.Add("prefixLength", "cidr_prefix_length", "CIDR.() int", a => (long)((CelCidr)a[0]).Prefix);
        t.Add("masked", "cidr_masked", "CIDR.() CIDR", a => ((CelCidr)a[0]).Masked);
        t.Add("string", "cidr_to_string", "(CIDR) string", a => a[0].ToString()!);
    }

    private static void Addresses(FunctionTable t)
    {
        t.Add("ip", "string_to_ip", "(string) IP", a => Ip((string)a[0]));
        t.Add("isIP", "is_ip", "(string) bool", a => Boxes.Of(Ip((string)a[0]) is CelIp));
        t.Add("ip.isCanonical", "ip_is_canonical", "(string) bool",
            a => Ip((string)a[0]) is CelIp ip ? Boxes.Of(ip.ToString() == (string)a[0]) : Ip((string)a[0]));
        t.Add("family", "family", "IP.() int", a => ((CelIp)a[0]).Size == 4 ? 4L : 6L);
        t.Add("isUnspecified", "is_unspecified", "IP.() bool", a => Is(a[0], i => i.Equals(IPAddress.Any) || i.Equals(IPAddress.IPv6Any)));
        t.Add("isLoopback", "is_loopback", "IP.() bool", a => Is(a[0], IPAddress.IsLoopback));
        t.Add("isLinkLocalMulticast", "is_link_local_multicast", "IP.() bool", a => Is(a[0], IsLinkLocalMulticast));
        t.Add("isLinkLocalUnicast", "is_link_local_unicast", "IP.() bool", a => Is(a[0], IsLinkLocalUnicast));
        t.Add("isGlobalUnicast", "is_global_unicast", "IP.() bool", a => Is(a[0], IsGlobalUnicast));
        t.Add("string", "ip_to_string", "(IP) string", a => a[0].ToString()!);
    }

    private static object Is(object ip, Func<IPAddress, bool> holds) => Boxes.Of(holds(((CelIp)ip).Address));

    private static bool IsLinkLocalMulticast(IPAddress ip) => ip.GetAddressBytes() is [224, 0, 0, _] || (ip.IsIPv6Multicast && (ip.GetAddressBytes()[1] & 0x0F) == 2);

    private static bool IsLinkLocalUnicast(IPAddress ip) => ip.GetAddressBytes() is [169, 254, _, _] || ip.IsIPv6LinkLocal;

    private static bool IsMulticast(IPAddress ip) => ip.GetAddressBytes() is [>= 224 and <= 239, _, _, _] || ip.IsIPv6Multicast;

    private static bool IsGlobalUnicast(IPAddress ip) => !IsMulticast(ip) && !IPAddress.IsLoopback(ip) && !IsLinkLocalUnicast(ip)
        && !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any) && !ip.Equals(IPAddress.Broadcast);

    /// <summary>An address without a zone and without the form of IPv4 in IPv6, or an error.</summary>
    private static object Ip(string text)
    {
        if (Names.ParseIp(text) is not { } address)
        {
            return new CelError($"IP Address \"{text}\" parse error during conversion from string: ParseAddr(\"{text}\"): unable to parse IP");
        }

        return text.Contains('%', StringComparison.Ordinal) ? new CelError($"IP address \"{text}\" with zone value is not allowed")
            : address.IsIPv4MappedToIPv6 || (text.Contains(':', StringComparison.Ordinal) && text.Contains('.', StringComparison.Ordinal))
                ? new CelError($"IPv4-mapped IPv6 address \"{text}\" is not allowed")
                : new CelIp(address);
    }

    private static object Cidr(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var prefix = slash < 0 ? "" : text[(slash + 1)..];
        if (slash < 0 || Ip(text[..slash]) is not CelIp ip || prefix is ['0', _, ..]
            || !int.TryParse(prefix, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) || bits > ip.Size * 8)
        {
            return new CelError($"network address parse error during conversion from string: netip.ParsePrefix(\"{text}\"): unable to parse");
        }

        return new CelCidr(ip.Address, bits);
    }

    private static object Contains(CelCidr network, CelCidr other) => Boxes.Of(other.Prefix >= network.Prefix && network.Contains(other.Address));
}
