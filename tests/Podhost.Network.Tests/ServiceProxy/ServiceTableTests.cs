using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Linux.Nftables;
using Podhost.Network.ServiceProxy;
using Podhost.Network.ServiceProxy.Rules;

namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>What is written when the kernel's table is as it was left, is not, or is gone.</summary>
public sealed class ServiceTableTests
{
    private const string Web = """
        kind: Service
        metadata: {namespace: ns, name: web}
        spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}
        """;

    [Fact]
    public async Task After_the_first_write_only_changes_are_written()
    {
        var nft = new FakeNftables();
        var table = new ServiceTable(new NftTable(NftFamily.IPv4, "t"), nft, NullLogger.Instance);
        await table.WriteAsync(Objects.Book("").Rules(), default);
        await table.WriteAsync(Objects.Book("").Rules(), default);
        await table.WriteAsync(Objects.Book(Web).Rules(), default);
        Assert.Equal(2, nft.Scripts.Count);
        Assert.StartsWith("add table ip t\nflush table ip t\n", nft.Scripts[0], StringComparison.Ordinal);
        Assert.Equal(
            "add element ip t cluster-ips { 10.96.0.10 }\nadd element ip t no-endpoint-ips { 10.96.0.10 . tcp . 80 : goto reject-traffic }\n", nft.Scripts[1]);
    }

    [Fact]
    public async Task A_change_that_is_refused_becomes_a_repair_and_a_repair_that_is_refused_a_replacement()
    {
        var nft = new FakeNftables();
        var table = new ServiceTable(new NftTable(NftFamily.IPv4, "t"), nft, NullLogger.Instance);
        await table.WriteAsync(Objects.Book("").Rules(), default);
        nft.Refusals = 2;
        await table.WriteAsync(Objects.Book(Web).Rules(), default);
        Assert.Equal(["add element", "add table", "add table"], nft.Scripts.Skip(1).Select(s => string.Join(' ', s.Split(' ').Take(2))));
        Assert.StartsWith("add table ip t\ndelete table ip t\n", nft.Scripts[^1], StringComparison.Ordinal);

        // All refused: the next write starts from nothing known.
        nft.Refusals = 3;
        await Assert.ThrowsAsync<IOException>(() => table.WriteAsync(Objects.Book("").Rules(), default));
        await table.WriteAsync(Objects.Book("").Rules(), default);
        Assert.StartsWith("add table ip t\nflush table ip t\n", nft.Scripts[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_is_gone_is_written_anew_and_one_that_is_there_is_left()
    {
        var nft = new FakeNftables();
        var table = new ServiceTable(new NftTable(NftFamily.IPv4, "t"), nft, NullLogger.Instance);
        await table.WriteAsync(Objects.Book("").Rules(), default);
        nft.Names = new NftTableNames([], []);
        table.Suspect();
        await table.WriteAsync(Objects.Book("").Rules(), default);
        Assert.Single(nft.Scripts);
        nft.Names = null;
        table.Suspect();
        await table.WriteAsync(Objects.Book("").Rules(), default);
        Assert.Equal(2, nft.Scripts.Count);
    }

    private sealed class FakeNftables : INftables
    {
        public List<string> Scripts { get; } = [];

        public int Refusals { get; set; }

        public NftTableNames? Names { get; set; }

        public Task ApplyAsync(string script, CancellationToken cancellationToken)
        {
            Scripts.Add(script);
            return Refusals-- > 0 ? Task.FromException(new IOException("refused")) : Task.CompletedTask;
        }

        public Task<NftTableNames?> ReadNamesAsync(NftFamily family, string table, CancellationToken cancellationToken) => Task.FromResult(Names);
    }
}
