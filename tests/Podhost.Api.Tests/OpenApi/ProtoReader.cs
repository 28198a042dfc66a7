using System.Text;

namespace Podhost.Api.Tests.OpenApi;

/// <summary>Reads protobuf messages without their description: the values of each field, in order.</summary>
internal static class ProtoReader
{
    public static Fields Read(byte[] message)
    {
        var fields = new Fields();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            switch (tag & 7)
            {
                case 0:
                    fields.Add((int)(tag >> 3), [(byte)Varint(message, ref at)]);
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add((int)(tag >> 3), message[at..(at + length)]);
                    at += length;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7}");
            }
        }

        return fields;
    }

    public static string Text(byte[] value) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(value);

    private static ulong Varint(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = bytes[at++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }
    }

    public sealed class Fields
    {
        private readonly List<(int Field, byte[] Value)> values = [];

        public IEnumerable<byte[]> this[int field] => values.Where(v => v.Field == field).Select(v => v.Value);

        public void Add(int field, byte[] value) => values.Add((field, value));
    }
}
