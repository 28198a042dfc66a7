using System.Net;

namespace Podhost.Control.Controllers.NodeIpam;

/// <summary>What nodes' ranges are cut from.</summary>
/// <param name="ClusterCidr">The range of all pods, IPv4.</param>
/// <param name="NodeMaskSize">Length of the prefix of a node's range, not shorter than the cluster's.</param>
/// <param name="FirstNode">The node whose range is the first one and nobody else's, so that it is known before the node is registered; null: none.</param>
public sealed record NodeIpamOptions(IPNetwork ClusterCidr, int NodeMaskSize, string? FirstNode);
