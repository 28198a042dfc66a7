using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Dns.Zones;

/// <summary>Addresses written as names: in-addr.arpa and ip6.arpa (RFC 1035 3.5, RFC 3596 2.5), and with dashes.</summary>
internal static class ReverseNames
{
    private static readonly string[] Arpa4 = ["in-addr", "arpa"];
    private static readonly string[] Arpa6 = ["ip6", "arpa"];

    /// <summary>The address that a whole reverse name stands for; null: it is none, or a part of one.</summary>
    public static IPAddress? AddressOf(DnsName name)
    {
        if (name.IsWithin(Arpa4, out var octets))
        {
            return octets.Length == 4 && octets.All(IsOctet) ? IPAddress.Parse(string.Join('.', Enumerable.Reverse(octets))) : null;
        }

        return name.IsWithin(Arpa6, out var nibbles) && nibbles.Length == 32 && nibbles.All(IsNibble)
            ? new IPAddress(Convert.FromHexString(string.Concat(Enumerable.Reverse(nibbles))))
            : null;
    }

    /// <summary>
    /// The reverse zone of a range that a name is in; null: in none. A range that does not end with an octet (IPv6: four bits) is taken for the several
    /// zones of whole ones in it.
    /// </summary>
    public static DnsName? ZoneOf(DnsName name, IPNetwork range)
    {
        if (range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return ZoneOfIPv6(name, range);
        }

        var length = (range.PrefixLength + 7) / 8;
        if (!name.IsWithin(Arpa4, out var octets)
            || octets.Length < length || octets.Length > 4 || !octets.All(IsOctet))
        {
            return null;
        }

        var leading = Enumerable.Reverse(octets).Concat(Enumerable.Repeat("0", 4 - octets.Length));
        return range.Contains(IPAddress.Parse(string.Join('.', leading))) ? DnsName.FromLabels(octets.TakeLast(length).Concat(Arpa4)) : null;
    }

    private static DnsName? ZoneOfIPv6(DnsName name, IPNetwork range)
    {
        const int whole = 32;
        var length = (range.PrefixLength + 3) / 4;
        if (!name.IsWithin(Arpa6, out var nibbles) || nibbles.Length < length || nibbles.Length > whole || !nibbles.All(IsNibble))
        {
            return null;
        }

        var leading = string.Concat(Enumerable.Reverse(nibbles)).PadRight(whole, '0');
        return range.Contains(new IPAddress(Convert.FromHexString(leading))) ? DnsName.FromLabels(nibbles.TakeLast(length).Concat(Arpa6)) : null;
    }

    /// <summary>The address of a label such as 10-1-2-3 or fd00--1; null: it is none.</summary>
    public static IPAddress? Undash(string label)
    {
        var parts = label.Split('-');
        if (parts.Length == 4 && parts.All(IsOctet))
        {
            return IPAddress.Parse(label.Replace('-', '.'));
        }

        return label.All(c => c == '-' || char.IsAsciiHexDigit(c)) && IPAddress.TryParse(label.Replace('-', ':'), out var address)
            && address.AddressFamily == AddressFamily.InterNetworkV6
            ? address
            : null;
    }

    private static bool IsNibble(string text) => text.Length == 1 && char.IsAsciiHexDigit(text[0]);

    private static bool IsOctet(string text) =>
        text.Length is > 0 and <= 3 && (text.Length == 1 || text[0] != '0') && byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
