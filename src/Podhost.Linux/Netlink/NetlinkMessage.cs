using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Podhost.Linux.Netlink;

/// <summary>Builds one netlink message (netlink(7)): header, a fixed part, attributes that may nest.</summary>
internal sealed class NetlinkMessage
{
    internal const int HeaderSize = 16;
    private const int Alignment = 4;
    private const ushort Nested = 0x8000;
    private readonly List<byte> _bytes;

    internal NetlinkMessage(ushort type, ushort flags)
    {
        _bytes = [.. new byte[HeaderSize]];
        Write16(4, type);
        Write16(6, flags);
    }

    internal NetlinkMessage Fixed(ReadOnlySpan<byte> part)
    {
        _bytes.AddRange(part);
        return Align();
    }

    internal NetlinkMessage Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        Span<byte> header = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(header, checked((ushort)(value.Length + 4)));
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], type);
        _bytes.AddRange(header);
        _bytes.AddRange(value);
        return Align();
    }

    internal NetlinkMessage Attribute(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Attribute(type, bytes);
    }

    internal NetlinkMessage Attribute(ushort type, byte value) => Attribute(type, [value]);

    internal NetlinkMessage Attribute(ushort type, string value) => Attribute(type, [.. Encoding.UTF8.GetBytes(value), 0]);

    internal NetlinkMessage Attribute(ushort type, IPAddress value) => Attribute(type, value.GetAddressBytes());

    internal NetlinkMessage Nest(ushort type, Action<NetlinkMessage> content)
    {
        var start = _bytes.Count;
        Attribute((ushort)(type | Nested), []);
        content(this);
        Write16(start, checked((ushort)(_bytes.Count - start)));
        return this;
    }

    internal byte[] Finish(uint sequence)
    {
        Write32(0, (uint)_bytes.Count);
        Write32(8, sequence);
        return [.. _bytes];
    }

    private NetlinkMessage Align()
    {
        while (_bytes.Count % Alignment != 0)
        {
            _bytes.Add(0);
        }

        return this;
    }

    private void Write16(int offset, ushort value)
    {
        _bytes[offset] = (byte)value;
        _bytes[offset + 1] = (byte)(value >> 8);
    }

    private void Write32(int offset, uint value)
    {
        Write16(offset, (ushort)value);
        Write16(offset + 2, (ushort)(value >> 16));
    }
}
