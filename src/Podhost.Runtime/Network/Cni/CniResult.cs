using System.Net;
using System.Text.Json.Nodes;

namespace Podhost.Runtime.Network.Cni;

/// <summary>What ADD gave: the fields of a result that a runtime uses (CNI specification, section 5).</summary>
/// <param name="Addresses">The pod's addresses, an IPv4 one first where there is one, as containerd orders them.</param>
/// <param name="HostInterface">The node's end of the pod's interface; null where the plugins name none.</param>
internal sealed record CniResult(IReadOnlyList<string> Addresses, string? HostInterface)
{
    /// <summary>Reads a result.</summary>
    /// <exception cref="FormatException">It has no address for the pod.</exception>
    internal static CniResult Parse(JsonObject result)
    {
        var interfaces = result["interfaces"] is JsonArray list ? list.OfType<JsonObject>().ToList() : [];
        var addresses = (result["ips"] is JsonArray ips ? ips.OfType<JsonObject>() : [])
            .Where(ip => InSandbox(ip, interfaces))
            .Select(Address)
            .ToList();
        if (addresses.Count == 0)
        {
            throw new FormatException("the result has no address for the pod");
        }

        var ordered = addresses.OrderBy(address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 0 : 1);
        return new CniResult([.. ordered.Select(address => address.ToString())], HostEnd(interfaces));
    }

    // An address of an interface on the node (a bridge's, say) is not the pod's.
    private static bool InSandbox(JsonObject ip, List<JsonObject> interfaces) =>
        ip["interface"] is not JsonValue value || !value.TryGetValue<int>(out var index) || index < 0 || index >= interfaces.Count || Sandbox(interfaces[index]).Length > 0;

    private static IPAddress Address(JsonObject ip)
    {
        var text = ip["address"] is JsonValue value && value.TryGetValue<string>(out var given) ? given : "";
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return Parsed(slash < 0 ? text : text[..slash], text);
    }

    private static IPAddress Parsed(string address, string whole) =>
        IPAddress.TryParse(address, out var parsed) ? parsed : throw new FormatException($"the result has \"{whole}\" for an address");

    // Plugins list the bridge before the pair: the last one on the node is the pod's.
    private static string? HostEnd(List<JsonObject> interfaces) =>
        interfaces.LastOrDefault(each => Sandbox(each).Length == 0 && each["name"] is JsonValue)?["name"]?.GetValue<string>();

    private static string Sandbox(JsonObject each) => each["sandbox"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
}
