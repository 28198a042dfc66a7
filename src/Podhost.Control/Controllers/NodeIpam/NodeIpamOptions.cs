using System.Net;

namespace Podhost.Control.Controllers.NodeIpam;

/// <summary>What nodes' ranges are cut from.</summary>
/// <param name="Ranges">The ranges of all pods, at most one of each family, the primary one first: a node gets a part of each.</param>
/// <param name="FirstNode">The node whose ranges are the first ones and nobody else's, so that they are known before the node is registered; null: none.</param>
public sealed record NodeIpamOptions(IReadOnlyList<ClusterRange> Ranges, string? FirstNode);

/// <summary>A range that nodes' ranges are cut from.</summary>
/// <param name="Cidr">The range of all pods.</param>
/// <param name="NodeMaskSize">Length of the prefix of a node's range, not shorter than the cluster's.</param>
public sealed record ClusterRange(IPNetwork Cidr, int NodeMaskSize);
