using System.Net;

namespace Podhost.Linux.Netlink;

/// <summary>One entry of the kernel's connection tracking.</summary>
/// <param name="Protocol">The IP protocol: 6 TCP, 17 UDP, 132 SCTP.</param>
/// <param name="Original">The packets that began it, as the client sent them.</param>
/// <param name="Reply">The packets that answer, as the server sends them: its source is who serves.</param>
public sealed record ConnectionFlow(byte Protocol, FlowDirection Original, FlowDirection Reply);

/// <summary>One direction of a flow.</summary>
/// <param name="Source">Its sender's address.</param>
/// <param name="SourcePort">Its sender's port.</param>
/// <param name="Destination">Its receiver's address.</param>
/// <param name="DestinationPort">Its receiver's port.</param>
public sealed record FlowDirection(IPAddress Source, int SourcePort, IPAddress Destination, int DestinationPort);
