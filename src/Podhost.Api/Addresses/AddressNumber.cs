using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Podhost.Api.Addresses;

/// <summary>Addresses as numbers, to count in ranges of either family.</summary>
public static class AddressNumber
{
    /// <summary>The number of an address: its bytes, the most significant first.</summary>
    /// <param name="address">IPv4 or IPv6.</param>
    public static UInt128 Of(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.GetAddressBytes() is { Length: 16 } wide
            ? BinaryPrimitives.ReadUInt128BigEndian(wide)
            : BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());
    }

    /// <summary>The address of a number.</summary>
    /// <param name="number">Of 32 bits for IPv4: what is above them is left out.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    public static IPAddress ToAddress(UInt128 number, AddressFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(family == AddressFamily.InterNetworkV6 ? bytes : bytes[12..]);
    }
}
