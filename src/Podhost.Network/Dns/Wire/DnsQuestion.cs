namespace Podhost.Network.Dns.Wire;

/// <summary>A question.</summary>
/// <param name="Name">The name, in the case in which it was asked.</param>
/// <param name="Type">The type.</param>
/// <param name="Class">The class; 1 is the Internet's.</param>
internal sealed record DnsQuestion(DnsName Name, DnsType Type, ushort Class)
{
    /// <summary>The Internet's class.</summary>
    public const ushort Internet = 1;
}

/// <summary>What a client says of itself by EDNS. Source: RFC 6891.</summary>
/// <param name="UdpSize">The largest datagram that it takes, at least 512.</param>
/// <param name="Version">The version of EDNS; there is only 0.</param>
/// <param name="DnsSecOk">It takes DNSSEC's records.</param>
internal sealed record Edns(int UdpSize, byte Version, bool DnsSecOk);

/// <summary>A query as a client sent it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Flags">Its flags.</param>
/// <param name="Question">Its question.</param>
/// <param name="Edns">Its EDNS, if it speaks that.</param>
internal sealed record DnsQuery(ushort Id, DnsFlags Flags, DnsQuestion Question, Edns? Edns);
