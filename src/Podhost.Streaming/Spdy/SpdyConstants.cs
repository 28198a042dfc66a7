namespace Podhost.Streaming.Spdy;

/// <summary>Control frame types of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00 section 2.6).</summary>
internal enum SpdyFrameType : ushort
{
    /// <summary>Not a control frame.</summary>
    Data = 0,
    SynStream = 1,
    SynReply = 2,
    RstStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Headers = 8,
    WindowUpdate = 9,
}

/// <summary>Frame flags; their meaning depends on the frame type.</summary>
[Flags]
internal enum SpdyFlags : byte
{
    None = 0,

    /// <summary>The sender half-closes the stream.</summary>
    Fin = 1,

    /// <summary>On SYN_STREAM: the receiver's half is closed from the start.</summary>
    Unidirectional = 2,
}

/// <summary>Status codes of RST_STREAM (section 2.6.3).</summary>
internal enum SpdyRstStatus : uint
{
    ProtocolError = 1,
    InvalidStream = 2,
    RefusedStream = 3,
    Cancel = 5,
    InternalError = 6,
    FrameTooLarge = 11,
}

/// <summary>Status codes of GOAWAY (section 2.6.6).</summary>
internal enum SpdyGoAwayStatus : uint
{
    Ok = 0,
    ProtocolError = 1,
    InternalError = 11,
}

/// <summary>Bounds of a connection; a peer that breaks one loses the connection or the stream.</summary>
internal sealed record SpdyLimits
{
    /// <summary>Longest control frame, in bytes; SYN_STREAM of real clients stay below 1 KiB.</summary>
    public int MaxControlFrame { get; init; } = 64 * 1024;

    /// <summary>Longest header block after decompression, in bytes.</summary>
    public int MaxHeaderBlock { get; init; } = 64 * 1024;

    /// <summary>Most header pairs in a block.</summary>
    public int MaxHeaders { get; init; } = 100;

    /// <summary>Most streams open at once.</summary>
    public int MaxStreams { get; init; } = 1000;

    /// <summary>Bytes a stream holds for a slow reader before the connection stops reading.</summary>
    public int MaxStreamBuffer { get; init; } = 256 * 1024;

    /// <summary>Longest data frame that is sent, in bytes.</summary>
    public int MaxSentData { get; init; } = 32 * 1024;

    /// <summary>How often a PING is sent, so that a vanished peer is noticed.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>The peer broke the protocol or a bound.</summary>
internal sealed class SpdyProtocolException(string message) : IOException(message);
