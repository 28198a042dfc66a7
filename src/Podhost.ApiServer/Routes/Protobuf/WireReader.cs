using System.Buffers.Binary;

namespace Podhost.ApiServer.Routes.Protobuf;

/// <summary>Reads protobuf's wire format; everything is bounded by the span that it was given.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The next field's number and wire type.</summary>
    /// <exception cref="FormatException">The data is broken.</exception>
    public (int Number, WireType Type) ReadTag()
    {
        var tag = ReadVarint();
        var number = tag >> 3;
        return number is 0 or > int.MaxValue ? throw new FormatException("proto: illegal tag") : ((int)number, (WireType)(tag & 7));
    }

    public ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_rest.IsEmpty)
            {
                break;
            }

            var b = _rest[0];
            _rest = _rest[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw new FormatException("proto: unexpected end of a number");
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        if (length > (ulong)_rest.Length)
        {
            throw new FormatException("proto: unexpected end of data");
        }

        var result = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return result;
    }

    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>Reads over a field that is not known. True where it carries nothing: an empty string, a zero.</summary>
    public bool Skip(WireType type)
    {
        switch (type)
        {
            case WireType.Varint:
                return ReadVarint() == 0;
            case WireType.Bytes:
                return ReadBytes().IsEmpty;
            case WireType.Fixed64:
                return !Take(8).ContainsAnyExcept((byte)0);
            case WireType.Fixed32:
                return !Take(4).ContainsAnyExcept((byte)0);
            default:
                throw new FormatException($"proto: wire type {(int)type} is not supported");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_rest.Length < count)
        {
            throw new FormatException("proto: unexpected end of data");
        }

        var result = _rest[..count];
        _rest = _rest[count..];
        return result;
    }
}

/// <summary>How a field's value is encoded.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}
