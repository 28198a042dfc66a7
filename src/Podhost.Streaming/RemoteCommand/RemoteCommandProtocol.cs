namespace Podhost.Streaming.RemoteCommand;

/// <summary>A version of the remote command protocol (k8s.io/kubelet remotecommand constants).</summary>
/// <param name="Name">Its name on the wire: the WebSocket subprotocol, or the value of X-Stream-Protocol-Version.</param>
/// <param name="Version">1 to 5.</param>
/// <param name="Base64">WebSocket only: text messages with a digit for the channel and a base64 payload.</param>
internal sealed record RemoteCommandProtocol(string Name, int Version, bool Base64)
{
    /// <summary>From version 4 the error stream carries a Status in JSON; before it, plain text and only of failures.</summary>
    public bool JsonStatus => Version >= 4;

    /// <summary>From version 3 a terminal's size is sent on a stream of its own.</summary>
    public bool Resizes => Version >= 3;

    /// <summary>Version 5 over WebSocket has a message that half-closes a channel.</summary>
    public bool CloseSignal => Version >= 5;

    /// <summary>Unversioned channel protocol of clients that name none.</summary>
    public static RemoteCommandProtocol Unversioned { get; } = new("", 1, false);

    /// <summary>Over WebSocket.</summary>
    public static IReadOnlyList<RemoteCommandProtocol> WebSocket { get; } =
    [
        new("v5.channel.k8s.io", 5, false),
        new("v4.channel.k8s.io", 4, false),
        new("v4.base64.channel.k8s.io", 4, true),
        new("v3.channel.k8s.io", 3, false),
        new("v2.channel.k8s.io", 2, false),
        new("channel.k8s.io", 1, false),
        new("base64.channel.k8s.io", 1, true),
    ];

    /// <summary>Over SPDY. Version 5 differs from 4 over WebSocket only, and clients that offer it offer 4 too.</summary>
    public static IReadOnlyList<RemoteCommandProtocol> Spdy { get; } =
    [
        new("v4.channel.k8s.io", 4, false),
        new("v3.channel.k8s.io", 3, false),
        new("v2.channel.k8s.io", 2, false),
        new("channel.k8s.io", 1, false),
    ];

    /// <summary>The first protocol the client offers that is supported; the unversioned one where it offers none; null where none fits.</summary>
    public static RemoteCommandProtocol? Negotiate(IReadOnlyList<string> offered, IReadOnlyList<RemoteCommandProtocol> supported) =>
        offered.Count == 0
            ? Unversioned
            : offered.Select(name => supported.FirstOrDefault(p => p.Name == name)).FirstOrDefault(p => p is not null);
}
