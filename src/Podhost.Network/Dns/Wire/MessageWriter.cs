using System.Buffers.Binary;

namespace Podhost.Network.Dns.Wire;

/// <summary>An answer to give.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Flags">Flags besides those that every answer has.</param>
/// <param name="Answers">The answer.</param>
/// <param name="Authorities">Who is responsible.</param>
/// <param name="Additionals">What else may be of use.</param>
internal sealed record DnsReply(
    DnsCode Code, DnsFlags Flags, IReadOnlyList<DnsRecord> Answers, IReadOnlyList<DnsRecord> Authorities, IReadOnlyList<DnsRecord> Additionals)
{
    /// <summary>Only a code.</summary>
    public static DnsReply Of(DnsCode code) => new(code, DnsFlags.None, [], [], []);
}

/// <summary>Writes answers and queries.</summary>
internal static class MessageWriter
{
    /// <summary>Longest message over TCP.</summary>
    public const int MaxMessage = 65535;

    /// <summary>The datagram size that we offer and keep to: it passes every path unfragmented (DNS flag day 2020).</summary>
    public const int UdpSize = 1232;

    private const int HeaderSize = 12;
    private const int OptSize = 11;

    /// <summary>
    /// An answer of at most <paramref name="limit"/> bytes. What does not fit is left out from the end; where that is an answer, the message says
    /// that it is truncated, and the client asks again over TCP.
    /// </summary>
    public static byte[] Reply(DnsQuery query, DnsReply reply, int limit)
    {
        var flags = DnsFlags.Response | DnsFlags.RecursionAvailable | reply.Flags | (query.Flags & (DnsFlags.RecursionDesired | DnsFlags.CheckingDisabled));
        var writer = new WireWriter(limit - (query.Edns is null ? 0 : OptSize));
        writer.Header(query.Id, flags | (DnsFlags)((byte)reply.Code & 0xF));
        writer.Question(query.Question);
        var answers = writer.Records(reply.Answers);
        var authorities = answers == reply.Answers.Count ? writer.Records(reply.Authorities) : 0;
        var whole = answers == reply.Answers.Count && authorities == reply.Authorities.Count;
        var additionals = whole ? writer.Records(reply.Additionals) : 0;
        if (query.Edns is not null)
        {
            writer.Opt((byte)((byte)reply.Code >> 4), query.Edns.DnsSecOk);
            additionals++;
        }

        return writer.Finish(answers, authorities, additionals, truncated: !whole);
    }

    /// <summary>An answer to what could not be read: a header only.</summary>
    public static byte[] Reply(MessageReader.Malformed malformed)
    {
        var message = new byte[HeaderSize];
        var flags = DnsFlags.Response | (malformed.Flags & (DnsFlags.OpcodeMask | DnsFlags.RecursionDesired)) | (DnsFlags)(byte)malformed.Code;
        BinaryPrimitives.WriteUInt16BigEndian(message, malformed.Id);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)flags);
        return message;
    }

    /// <summary>A query to a nameserver.</summary>
    public static byte[] Query(DnsQuery query)
    {
        var writer = new WireWriter(MaxMessage);
        writer.Header(query.Id, query.Flags & (DnsFlags.RecursionDesired | DnsFlags.CheckingDisabled | DnsFlags.AuthenticData));
        writer.Question(query.Question);
        if (query.Edns is not null)
        {
            writer.Opt(0, query.Edns.DnsSecOk);
        }

        return writer.Finish(0, 0, query.Edns is null ? 0 : 1, truncated: false);
    }

    /// <summary>Writes into a growing buffer and remembers where names are, to point at them.</summary>
    private sealed class WireWriter(int limit)
    {
        private const int MaxPointer = 0x3FFF;
        private readonly Dictionary<DnsName, int> _names = [];
        private readonly List<byte> _bytes = new(512);

        public void Header(ushort id, DnsFlags flags)
        {
            UInt16(id);
            UInt16((ushort)flags);
            UInt16(1);
            _bytes.AddRange(new byte[6]);
        }

        public void Question(DnsQuestion question)
        {
            Name(question.Name);
            UInt16((ushort)question.Type);
            UInt16(question.Class);
        }

        /// <summary>Writes records until one does not fit; returns how many were written.</summary>
        public int Records(IReadOnlyList<DnsRecord> records)
        {
            for (var i = 0; i < records.Count; i++)
            {
                var start = _bytes.Count;
                Record(records[i]);
                if (_bytes.Count > limit)
                {
                    _bytes.RemoveRange(start, _bytes.Count - start);
                    foreach (var gone in _names.Where(n => n.Value >= start).Select(n => n.Key).ToList())
                    {
                        _names.Remove(gone);
                    }

                    return i;
                }
            }

            return records.Count;
        }

        public void Opt(byte extendedCode, bool dnsSecOk)
        {
            _bytes.Add(0);
            UInt16((ushort)DnsType.Opt);
            UInt16(UdpSize);
            _bytes.AddRange([extendedCode, 0, (byte)(dnsSecOk ? 0x80 : 0), 0]);
            UInt16(0);
        }

        public byte[] Finish(int answers, int authorities, int additionals, bool truncated)
        {
            var message = _bytes.ToArray();
            BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), (ushort)answers);
            BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(8), (ushort)authorities);
            BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(10), (ushort)additionals);
            message[2] |= truncated ? (byte)((ushort)DnsFlags.Truncated >> 8) : (byte)0;
            return message;
        }

        private void Record(DnsRecord record)
        {
            Name(record.Name);
            UInt16((ushort)record.Type);
            UInt16(DnsQuestion.Internet);
            UInt16((ushort)(record.Ttl >> 16));
            UInt16((ushort)record.Ttl);
            var length = _bytes.Count;
            UInt16(0);
            _bytes.AddRange(record.Data.Prefix);
            foreach (var name in record.Data.Names)
            {
                // The target of a SRV record is never compressed (RFC 2782).
                if (record.Type is DnsType.Srv or DnsType.DName)
                {
                    _bytes.AddRange(name.Wire);
                }
                else
                {
                    Name(name);
                }
            }

            _bytes.AddRange(record.Data.Suffix);
            var data = _bytes.Count - length - 2;
            (_bytes[length], _bytes[length + 1]) = ((byte)(data >> 8), (byte)data);
        }

        // Only names that were written whole, and what is above them, are pointed at.
        private void Name(DnsName name)
        {
            var wire = name.Wire;
            for (var at = 0; wire[at] != 0; at += wire[at] + 1)
            {
                var rest = DnsName.FromWire(wire[at..]);
                if (_names.TryGetValue(rest, out var known))
                {
                    UInt16((ushort)(0xC000 | known));
                    return;
                }

                if (_bytes.Count <= MaxPointer)
                {
                    _names[rest] = _bytes.Count;
                }

                _bytes.AddRange(wire.Slice(at, wire[at] + 1));
            }

            _bytes.Add(0);
        }

        private void UInt16(ushort value)
        {
            _bytes.Add((byte)(value >> 8));
            _bytes.Add((byte)value);
        }
    }
}
