using System.Buffers.Binary;

namespace Podhost.Network.Dns.Wire;

/// <summary>Reads a message that a stranger wrote. Every read says whether it stayed inside; nothing throws.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> message, int at)
{
    private const int PointerBits = 0xC0;
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>Where the next read begins.</summary>
    public int At { get; private set; } = at;

    public bool TryByte(out byte value)
    {
        value = 0;
        if (At >= _message.Length)
        {
            return false;
        }

        value = _message[At++];
        return true;
    }

    public bool TryUInt16(out ushort value)
    {
        value = 0;
        if (_message.Length - At < 2)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt16BigEndian(_message[At..]);
        At += 2;
        return true;
    }

    public bool TryUInt32(out uint value)
    {
        value = 0;
        if (_message.Length - At < 4)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt32BigEndian(_message[At..]);
        At += 4;
        return true;
    }

    public bool TryBytes(int count, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (count < 0 || _message.Length - At < count)
        {
            return false;
        }

        value = _message.Slice(At, count);
        At += count;
        return true;
    }

    /// <summary>
    /// Reads a name, compressed or not. A pointer must point before the place where the name, or the part that the pointer before it led to,
    /// begins: so each is followed at most once and no loop can be made.
    /// </summary>
    public bool TryName(out DnsName name)
    {
        name = DnsName.Root;
        Span<byte> wire = stackalloc byte[DnsName.MaxBytes];
        var (length, at, start, end) = (0, At, At, -1);
        while (at < _message.Length)
        {
            var head = _message[at];
            if ((head & PointerBits) == PointerBits)
            {
                if (at + 1 >= _message.Length || (((head & ~PointerBits) << 8) | _message[at + 1]) is var target && target >= start)
                {
                    return false;
                }

                end = end < 0 ? at + 2 : end;
                (at, start) = (target, target);
                continue;
            }

            if ((head & PointerBits) != 0 || length + head + 1 > DnsName.MaxBytes || at + 1 + head > _message.Length)
            {
                return false;
            }

            _message.Slice(at, head + 1).CopyTo(wire[length..]);
            length += head + 1;
            at += head + 1;
            if (head == 0)
            {
                name = length == 1 ? DnsName.Root : DnsName.FromWire(wire[..length]);
                At = end < 0 ? at : end;
                return true;
            }
        }

        return false;
    }
}
