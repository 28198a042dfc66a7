namespace Podhost.Network.Dns.Wire;

/// <summary>Reads queries of clients and answers of nameservers.</summary>
internal static class MessageReader
{
    private const int HeaderSize = 12;
    private const uint DnsSecOkBit = 0x8000;

    /// <summary>A query that cannot be read: what to answer, or null for nothing at all.</summary>
    /// <param name="Id">Number of the message.</param>
    /// <param name="Flags">Its flags.</param>
    /// <param name="Code">The answer's code.</param>
    internal sealed record Malformed(ushort Id, DnsFlags Flags, DnsCode Code);

    /// <summary>Reads a query; exactly one of the results is set, or none for what deserves no answer: no header, or an answer.</summary>
    public static DnsQuery? ReadQuery(ReadOnlySpan<byte> message, out Malformed? malformed)
    {
        malformed = null;
        var reader = new WireReader(message, 0);
        if (!TryHeader(ref reader, out var id, out var flags, out var counts) || flags.HasFlag(DnsFlags.Response))
        {
            return null;
        }

        if ((flags & DnsFlags.OpcodeMask) != 0)
        {
            malformed = new Malformed(id, flags, DnsCode.NotImp);
            return null;
        }

        if (counts.Questions != 1 || !TryQuestion(ref reader, out var question) || !TryEdns(ref reader, counts, out var edns))
        {
            malformed = new Malformed(id, flags, DnsCode.FormErr);
            return null;
        }

        return new DnsQuery(id, flags, question!, edns);
    }

    /// <summary>Reads an answer with its records; null where it is malformed or no answer.</summary>
    public static DnsAnswer? ReadAnswer(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message, 0);
        if (!TryHeader(ref reader, out var id, out var flags, out var counts) || !flags.HasFlag(DnsFlags.Response)
            || counts.Questions != 1 || !TryQuestion(ref reader, out var question))
        {
            return null;
        }

        var sections = new List<DnsRecord>[] { [], [], [] };
        int[] lengths = [counts.Answers, counts.Authorities, counts.Additionals];
        for (var section = 0; section < sections.Length; section++)
        {
            for (var i = 0; i < lengths[section]; i++)
            {
                if (!TryRecord(message, ref reader, out var record, out var @class))
                {
                    // What was cut off is missing; the flag says so.
                    return flags.HasFlag(DnsFlags.Truncated) ? new DnsAnswer(id, flags, question!, sections[0], sections[1], sections[2]) : null;
                }

                if (@class == DnsQuestion.Internet && record!.Type != DnsType.Opt)
                {
                    sections[section].Add(record);
                }
            }
        }

        return new DnsAnswer(id, flags, question!, sections[0], sections[1], sections[2]);
    }

    private static bool TryHeader(
        ref WireReader reader, out ushort id, out DnsFlags flags, out (int Questions, int Answers, int Authorities, int Additionals) counts)
    {
        flags = default;
        counts = default;
        if (!reader.TryUInt16(out id) || !reader.TryUInt16(out var bits) || !reader.TryUInt16(out var questions) || !reader.TryUInt16(out var answers)
            || !reader.TryUInt16(out var authorities) || !reader.TryUInt16(out var additionals) || reader.At != HeaderSize)
        {
            return false;
        }

        (flags, counts) = ((DnsFlags)bits, (questions, answers, authorities, additionals));
        return true;
    }

    private static bool TryQuestion(ref WireReader reader, out DnsQuestion? question)
    {
        question = null;
        if (!reader.TryName(out var name) || !reader.TryUInt16(out var type) || !reader.TryUInt16(out var @class))
        {
            return false;
        }

        question = new DnsQuestion(name, (DnsType)type, @class);
        return true;
    }

    // The other records of a query (a transaction's signature, for example) are read over; two OPT records are an error (RFC 6891 6.1.1).
    private static bool TryEdns(ref WireReader reader, (int Questions, int Answers, int Authorities, int Additionals) counts, out Edns? edns)
    {
        edns = null;
        for (var left = counts.Answers + counts.Authorities + counts.Additionals; left > 0; left--)
        {
            if (!reader.TryName(out var name) || !reader.TryUInt16(out var type) || !reader.TryUInt16(out var size)
                || !reader.TryUInt32(out var extended) || !reader.TryUInt16(out var length) || !reader.TryBytes(length, out _))
            {
                return false;
            }

            if ((DnsType)type == DnsType.Opt)
            {
                if (edns is not null || !ReferenceEquals(name, DnsName.Root))
                {
                    return false;
                }

                edns = new Edns(Math.Max((int)size, 512), (byte)(extended >> 16), (extended & DnsSecOkBit) != 0);
            }
        }

        return true;
    }

    private static bool TryRecord(ReadOnlySpan<byte> message, ref WireReader reader, out DnsRecord? record, out ushort @class)
    {
        record = null;
        if (!reader.TryName(out var name) || !reader.TryUInt16(out var type) || !reader.TryUInt16(out @class)
            || !reader.TryUInt32(out var ttl) || !reader.TryUInt16(out var length) || reader.At + length > message.Length)
        {
            @class = 0;
            return false;
        }

        var start = reader.At;
        if (!TryData(message[..(start + length)], start, (DnsType)type, out var data))
        {
            return false;
        }

        reader.TryBytes(length, out _);
        record = new DnsRecord(name, (DnsType)type, ttl, data!);
        return true;
    }

    // The message ends with the data here, so that its names cannot reach beyond it.
    private static bool TryData(ReadOnlySpan<byte> message, int start, DnsType type, out DnsData? data)
    {
        data = null;
        var reader = new WireReader(message, start);
        if (DnsData.Shape(type) is not var (prefixLength, nameCount))
        {
            data = new DnsData(message[start..].ToArray(), [], []);
            return true;
        }

        if (!reader.TryBytes(prefixLength, out var prefix))
        {
            return false;
        }

        var names = new DnsName[nameCount];
        for (var i = 0; i < nameCount; i++)
        {
            if (!reader.TryName(out names[i]))
            {
                return false;
            }
        }

        data = new DnsData(prefix.ToArray(), names, message[reader.At..].ToArray());
        return true;
    }
}

/// <summary>A nameserver's answer.</summary>
/// <param name="Id">Its number, the query's.</param>
/// <param name="Flags">Its flags, with the code in the lowest four bits.</param>
/// <param name="Question">What it answers.</param>
/// <param name="Answers">The answer.</param>
/// <param name="Authorities">Who is responsible.</param>
/// <param name="Additionals">What else may be of use, without OPT.</param>
internal sealed record DnsAnswer(
    ushort Id, DnsFlags Flags, DnsQuestion Question, IReadOnlyList<DnsRecord> Answers, IReadOnlyList<DnsRecord> Authorities, IReadOnlyList<DnsRecord> Additionals)
{
    /// <summary>The code.</summary>
    public DnsCode Code => (DnsCode)((ushort)Flags & 0xF);
}
