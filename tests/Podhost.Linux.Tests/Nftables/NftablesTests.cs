using System.Diagnostics;
using Podhost.Linux.Namespaces;
using Podhost.Linux.Nftables;

namespace Podhost.Linux.Tests.Nftables;

public class NftablesTests
{
    [Fact]
    public void Names_are_read_from_nfts_JSON_and_those_of_other_tables_are_not()
    {
        const string output = """
            {"nftables": [{"metainfo": {"version": "1.0.6"}}, {"table": {"family": "ip", "name": "t", "handle": 1}}, {"table": {"family": "ip", "name": "u", "handle": 2}}]}
            {"nftables": [{"chain": {"family": "ip", "table": "t", "name": "a/b", "handle": 1}}, {"chain": {"family": "ip", "table": "u", "name": "c", "handle": 1}}]}
            {"nftables": [{"set": {"family": "ip", "name": "s", "table": "t", "type": "ipv4_addr", "handle": 12}}]}
            {"nftables": [{"map": {"family": "ip", "name": "m", "table": "t", "type": ["ipv4_addr"], "handle": 13, "map": "verdict"}}]}
            """;
        var names = NftTableNames.Parse(output, NftFamily.IPv4, "t")!;
        Assert.Equal(["a/b"], names.Chains);
        Assert.Equal(["s", "m"], names.Sets);
        Assert.Null(NftTableNames.Parse(output, NftFamily.IPv4, "v"));
        Assert.Throws<FormatException>(() => NftTableNames.Parse(output[..^20], NftFamily.IPv4, "t"));
    }

    [Fact]
    public async Task The_removal_of_a_table_is_told_and_that_of_another_is_not()
    {
        Machine.RequireRoot();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var (watch, waiting) = await NamespaceThread.RunAsync(() =>
        {
            NamespaceThread.Unshare(NamespaceKinds.Network);
            Nft("add table ip mine; add table ip other; add table ip6 mine");
            var opened = NftTableWatch.Open();
            Nft("delete table ip other; delete table ip6 mine");
            var task = opened.WaitAsync(NftFamily.IPv4, "mine", stop.Token);
            Assert.False(task.IsCompleted);
            Nft("flush ruleset");
            return (opened, task);
        });
        using (watch)
        {
            await waiting;
        }
    }

    // A child has the namespaces of the thread that starts it.
    private static void Nft(string commands)
    {
        using var nft = Process.Start("nft", [commands]);
        nft.WaitForExit();
        Assert.Equal(0, nft.ExitCode);
    }
}
