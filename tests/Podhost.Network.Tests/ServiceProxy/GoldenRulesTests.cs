using System.Diagnostics;
using Podhost.Network.ServiceProxy.Model;

namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>
/// Golden cases: tests/cases/network/service-*/objects.yaml has Services and slices, rules.nft the whole script that they become on node n1,
/// of IPv6 where the name says so.
/// PODHOST_REWRITE_CASES=1 writes rules.nft anew; read the diff before committing it.
/// </summary>
public sealed class GoldenRulesTests
{
    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Root(), "service-*").Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Objects_become_these_rules(string name)
    {
        var directory = Path.Combine(Root(), name);
        var isIPv6 = name.StartsWith("service-ipv6", StringComparison.Ordinal);
        var node = isIPv6 ? Objects.NodeIPv6 : Objects.Node;
        node = name.EndsWith("unseen-bridge", StringComparison.Ordinal) ? node with { SeesBridgedTraffic = false } : node;
        var script = Objects.Script(Objects.Book(File.ReadAllText(Path.Combine(directory, "objects.yaml")), node), isIPv6 ? Objects.TableIPv6 : Objects.Table);
        var file = Path.Combine(directory, "rules.nft");
        if (Environment.GetEnvironmentVariable("PODHOST_REWRITE_CASES") == "1")
        {
            File.WriteAllText(file, script);
        }

        Assert.Equal(File.ReadAllText(file), script);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_kernel_takes_these_rules(string name)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/sbin/nft"), "needs root and nft");
        var start = new ProcessStartInfo("unshare", ["--net", "nft", "-f", Path.Combine(Root(), name, "rules.nft")]) { RedirectStandardError = true };
        using var nft = Process.Start(start)!;
        var error = await nft.StandardError.ReadToEndAsync();
        await nft.WaitForExitAsync();
        Assert.Equal("", error);
        Assert.Equal(0, nft.ExitCode);
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Podhost.slnx")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return Path.Combine(directory, "tests", "cases", "network");
    }
}
