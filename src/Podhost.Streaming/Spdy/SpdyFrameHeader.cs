using System.Buffers.Binary;

namespace Podhost.Streaming.Spdy;

/// <summary>The first eight bytes of a frame (section 2.2).</summary>
/// <param name="Type">Data, or the control type as it was sent (unknown ones too).</param>
/// <param name="Flags">Flags.</param>
/// <param name="Length">Payload bytes, 24 bits.</param>
/// <param name="StreamId">Of a data frame; 0 for control frames, whose stream is in the payload.</param>
internal readonly record struct SpdyFrameHeader(SpdyFrameType Type, SpdyFlags Flags, int Length, int StreamId)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 8;

    private const ushort Version = 3;

    /// <summary>Parses a head.</summary>
    /// <exception cref="SpdyProtocolException">A control frame of another protocol version, or stream 0.</exception>
    public static SpdyFrameHeader Parse(ReadOnlySpan<byte> bytes)
    {
        var word = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var flags = (SpdyFlags)bytes[4];
        var length = (bytes[5] << 16) | (bytes[6] << 8) | bytes[7];
        if ((word & 0x8000_0000) == 0)
        {
            return word == 0 ? throw new SpdyProtocolException("data frame of stream 0") : new(SpdyFrameType.Data, flags, length, (int)word);
        }

        var version = (word >> 16) & 0x7fff;
        return version == Version
            ? new((SpdyFrameType)(word & 0xffff), flags, length, 0)
            : throw new SpdyProtocolException($"SPDY version {version} instead of 3");
    }

    /// <summary>Writes a control frame's head.</summary>
    public static void WriteControl(Span<byte> bytes, SpdyFrameType type, SpdyFlags flags, int length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, 0x8000_0000u | ((uint)Version << 16) | (ushort)type);
        WriteFlagsAndLength(bytes, flags, length);
    }

    /// <summary>Writes a data frame's head.</summary>
    public static void WriteData(Span<byte> bytes, int streamId, SpdyFlags flags, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes, streamId);
        WriteFlagsAndLength(bytes, flags, length);
    }

    private static void WriteFlagsAndLength(Span<byte> bytes, SpdyFlags flags, int length)
    {
        bytes[4] = (byte)flags;
        bytes[5] = (byte)(length >> 16);
        bytes[6] = (byte)(length >> 8);
        bytes[7] = (byte)length;
    }
}
