using System.Buffers.Binary;
using System.Text;

namespace Podhost.Linux.Netlink;

/// <summary>A network interface.</summary>
/// <param name="Index">Its number in its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">bridge, veth, …; empty for a physical one.</param>
/// <param name="Master">The number of the bridge that it is a port of; 0 for none.</param>
/// <param name="IsUp">It is up.</param>
/// <param name="HardwareAddress">Its MAC address; empty where it has none.</param>
public sealed record NetworkLink(int Index, string Name, string Kind, int Master, bool IsUp, string HardwareAddress)
{
    private const int FixedSize = 16;
    private const ushort HardwareAddressType = 1;
    private const ushort NameType = 3;
    private const ushort MasterType = 10;
    private const ushort LinkInfo = 18;
    private const ushort InfoKind = 1;

    internal static NetworkLink Parse(ReadOnlySpan<byte> payload)
    {
        var index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        var up = (BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]) & 1) != 0;
        var (name, kind, master, hardware) = (string.Empty, string.Empty, 0, string.Empty);
        foreach (var (type, value) in NetlinkAttributes.Read(payload[FixedSize..]))
        {
            switch (type)
            {
                case NameType:
                    name = NetlinkAttributes.Text(value);
                    break;
                case MasterType:
                    master = BinaryPrimitives.ReadInt32LittleEndian(value);
                    break;
                case HardwareAddressType:
                    hardware = string.Join(':', value.Select(part => Convert.ToHexStringLower([part])));
                    break;
                case LinkInfo:
                    kind = NetlinkAttributes.Read(value).Where(entry => entry.Type == InfoKind).Select(entry => NetlinkAttributes.Text(entry.Value)).FirstOrDefault(string.Empty);
                    break;
                default:
                    break;
            }
        }

        return new NetworkLink(index, name, kind, master, up, hardware);
    }
}

/// <summary>Attributes of an answer.</summary>
internal static class NetlinkAttributes
{
    private const ushort TypeMask = 0x3fff;

    internal static List<(ushort Type, byte[] Value)> Read(ReadOnlySpan<byte> bytes)
    {
        var attributes = new List<(ushort, byte[])>();
        while (bytes.Length >= 4)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
            if (length < 4 || length > bytes.Length)
            {
                break;
            }

            attributes.Add(((ushort)(BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) & TypeMask), bytes[4..length].ToArray()));
            bytes = bytes[Math.Min(bytes.Length, (length + 3) & ~3)..];
        }

        return attributes;
    }

    internal static string Text(byte[] value) => Encoding.UTF8.GetString(value).TrimEnd('\0');
}
