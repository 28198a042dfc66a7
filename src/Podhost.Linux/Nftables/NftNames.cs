namespace Podhost.Linux.Nftables;

/// <summary>The names of an instance's tables: they follow from its bridge, so that two instances do not meet and a reset finds them.</summary>
public static class NftNames
{
    /// <summary>The table of the pod network: masquerading and host ports.</summary>
    /// <param name="bridge">The bridge.</param>
    public static string PodNetwork(string bridge)
    {
        ArgumentNullException.ThrowIfNull(bridge);
        return "podhost_" + new string([.. bridge.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_')]);
    }

    /// <summary>The table of the Services.</summary>
    /// <param name="bridge">The bridge.</param>
    public static string Services(string bridge) => PodNetwork(bridge) + "_services";

    /// <summary>The table that marks what goes to pods of other nodes.</summary>
    /// <param name="bridge">The bridge.</param>
    public static string NodeRoutes(string bridge) => PodNetwork(bridge) + "_nodes";

    /// <summary>The bit of the packet mark that <see cref="NodeRoutes"/> sets: such packets keep the pod's address.</summary>
    public const string NodeRoutesMark = "0x08000000";

    /// <summary>A script that removes a table of family ip, there or not.</summary>
    /// <param name="table">The table.</param>
    public static string Remove(string table) => $"add table ip {table}\ndelete table ip {table}\n";
}
