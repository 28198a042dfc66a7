using System.Net;

namespace Podhost.Network.NodeRoutes;

/// <summary>Whose routes to other nodes' pods.</summary>
/// <param name="NodeName">This node.</param>
/// <param name="Bridge">Its bridge, after which the nftables table is named.</param>
/// <param name="PodCidr">The range of its pods, IPv4.</param>
/// <param name="StateFile">Which routes were made in this boot, one range a line.</param>
public sealed record NodeRouteOptions(string NodeName, string Bridge, IPNetwork PodCidr, string StateFile);
