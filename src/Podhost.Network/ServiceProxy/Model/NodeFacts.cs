using System.Net;
using Podhost.Linux.Nftables;

namespace Podhost.Network.ServiceProxy.Model;

/// <summary>What the rules need to know of the node.</summary>
/// <param name="NodeName">The node's name: endpoints on it are local.</param>
/// <param name="PodCidr">The range of this node's pods; its family is the one that the rules are for.</param>
/// <param name="SeesBridgedTraffic">
/// The kernel shows packets between ports of a bridge to netfilter (br_netfilter). Where it does not, the answer of a pod to its neighbour
/// would not come by here, and its source would not be put right: such connections are masqueraded.
/// </param>
internal sealed record NodeFacts(string NodeName, IPNetwork PodCidr, bool SeesBridgedTraffic)
{
    /// <summary>The family of the rules.</summary>
    public NftFamily Family => NftFamily.Of(PodCidr);
}
