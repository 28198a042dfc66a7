using System.Text;

namespace Podhost.Api.OpenApi;

/// <summary>The few parts of protobuf's wire format that the document needs. Default values are left out, as proto3 does.</summary>
internal sealed class ProtoWriter
{
    private readonly MemoryStream stream = new();

    public void String(int field, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            Bytes(field, Encoding.UTF8.GetBytes(value));
        }
    }

    public void Boolean(int field, bool value)
    {
        if (value)
        {
            Varint((uint)field << 3);
            stream.WriteByte(1);
        }
    }

    /// <summary>A number of 64 bits; written even where it is 0, because bounds of schemas may be.</summary>
    public void Integer(int field, long value)
    {
        Varint((uint)field << 3);
        Varint((ulong)value);
    }

    /// <summary>A floating-point number; written even where it is 0.</summary>
    public void Double(int field, double value)
    {
        const uint Fixed64 = 1;
        Varint(((uint)field << 3) | Fixed64);
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        stream.Write(bytes);
    }

    /// <summary>An embedded message; it is written even where it is empty, because its presence counts.</summary>
    public void Message(int field, Action<ProtoWriter> content)
    {
        var message = new ProtoWriter();
        content(message);
        Bytes(field, message.stream.GetBuffer().AsSpan(0, (int)message.stream.Length));
    }

    public byte[] ToArray() => stream.ToArray();

    private void Bytes(int field, ReadOnlySpan<byte> value)
    {
        const uint LengthDelimited = 2;
        Varint(((uint)field << 3) | LengthDelimited);
        Varint((uint)value.Length);
        stream.Write(value);
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            stream.WriteByte((byte)(value | 0x80));
        }

        stream.WriteByte((byte)value);
    }
}
