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

    /// <summary>A script that removes a table, there or not.</summary>
    /// <param name="table">The table.</param>
    /// <param name="family">Its family; null: IPv4.</param>
    public static string Remove(string table, NftFamily? family = null)
    {
        var name = (family ?? NftFamily.IPv4).Name;
        return $"add table {name} {table}\ndelete table {name} {table}\n";
    }

    /// <summary>Removes a table of both families, there or not.</summary>
    /// <param name="nftables">Takes the rules.</param>
    /// <param name="table">The table.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task RemoveAsync(INftables nftables, string table, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nftables);
        await nftables.ApplyAsync(Remove(table), cancellationToken);
        await RemoveIPv6Async(nftables, [table], cancellationToken);
    }

    /// <summary>Removes tables of IPv6, there or not; none can be there where the kernel knows no such tables.</summary>
    /// <param name="nftables">Takes the rules.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task RemoveIPv6Async(INftables nftables, IEnumerable<string> tables, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nftables);
        if (!File.Exists("/proc/net/if_inet6"))
        {
            return;
        }

        try
        {
            await nftables.ApplyAsync(string.Concat(tables.Select(table => Remove(table, NftFamily.IPv6))), cancellationToken);
        }
        catch (IOException)
        {
            // A kernel with IPv6 and without nf_tables for it.
        }
    }
}
