namespace Podhost.Network.Dns.Wire;

/// <summary>Types of records and questions. Source: IANA, DNS parameters.</summary>
internal enum DnsType : ushort
{
    A = 1,
    NS = 2,
    CName = 5,
    Soa = 6,
    Ptr = 12,
    HInfo = 13,
    MX = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    DName = 39,
    Opt = 41,
    Ixfr = 251,
    Axfr = 252,
    Any = 255,
}

/// <summary>What became of a question. Source: RFC 1035 4.1.1, RFC 6891.</summary>
internal enum DnsCode : byte
{
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NXDomain = 3,
    NotImp = 4,
    Refused = 5,

    /// <summary>The EDNS version is unknown; its upper bits are in the OPT record.</summary>
    BadVers = 16,
}

/// <summary>The bits of a header's second word.</summary>
[Flags]
internal enum DnsFlags : ushort
{
    None = 0,
    CheckingDisabled = 0x0010,
    AuthenticData = 0x0020,
    RecursionAvailable = 0x0080,
    RecursionDesired = 0x0100,
    Truncated = 0x0200,
    Authoritative = 0x0400,
    OpcodeMask = 0x7800,
    Response = 0x8000,
}
