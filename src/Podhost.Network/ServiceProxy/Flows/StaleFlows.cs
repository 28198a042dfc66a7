using System.Net;
using Podhost.Linux.Netlink;

namespace Podhost.Network.ServiceProxy.Flows;

/// <summary>
/// Which UDP flows to forget. The rules choose for the first packet only; a client that goes on sending from one port would go on reaching
/// an endpoint that is gone, or nothing where there was no endpoint at first. Pure.
/// </summary>
internal static class StaleFlows
{
    /// <summary>The frontends that changed, with those who may serve them now: nobody where a frontend is gone.</summary>
    public static Dictionary<(string? Address, int Port), string> Changed(
        IReadOnlyDictionary<(string? Address, int Port), string> before, IReadOnlyDictionary<(string? Address, int Port), string> now)
    {
        var changed = now.Where(f => !before.TryGetValue(f.Key, out var old) || old != f.Value).ToDictionary();
        foreach (var gone in before.Keys.Where(f => !now.ContainsKey(f)))
        {
            changed[gone] = "";
        }

        return changed;
    }

    /// <summary>The flows of those frontends whose server may not serve.</summary>
    /// <param name="flows">UDP flows.</param>
    /// <param name="frontends">Frontends; without an address a node port.</param>
    /// <param name="nodeAddresses">The node's own addresses: a node port is one of these only.</param>
    public static IEnumerable<ConnectionFlow> Find(
        IEnumerable<ConnectionFlow> flows, IReadOnlyDictionary<(string? Address, int Port), string> frontends, IReadOnlySet<IPAddress> nodeAddresses)
    {
        var targets = frontends.ToDictionary(f => f.Key, f => f.Value.Split(',').ToHashSet(StringComparer.Ordinal));
        return flows.Where(flow =>
            (targets.TryGetValue((flow.Original.Destination.ToString(), flow.Original.DestinationPort), out var allowed)
             || (nodeAddresses.Contains(flow.Original.Destination) && targets.TryGetValue((null, flow.Original.DestinationPort), out allowed)))
            && !allowed.Contains($"{flow.Reply.Source}:{flow.Reply.SourcePort}"));
    }
}
