using System.Net;

namespace Podhost.Network.NodeRoutes;

/// <summary>Whose routes to other nodes' pods.</summary>
/// <param name="NodeName">This node.</param>
/// <param name="Bridge">Its bridge, after which the nftables table is named.</param>
/// <param name="PodCidrs">The ranges of its pods, at most one of each family.</param>
/// <param name="StateFile">Which routes were made in this boot, one range a line.</param>
public sealed record NodeRouteOptions(string NodeName, string Bridge, IReadOnlyList<IPNetwork> PodCidrs, string StateFile);
