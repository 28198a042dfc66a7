using System.Globalization;
using Podhost.Linux.Processes;
using Podhost.Runtime.Network.Firewall;

namespace Podhost.Runtime.Tests.Network.Firewall;

/// <summary>The rules, and the machine's real iptables in a network namespace of the test's own.</summary>
public sealed class IptablesFirewallTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void The_chain_is_filled_anew_and_linked_once()
    {
        Assert.Equal(
            "*filter\n:PODHOST-podhost0 - [0:0]\n-A FORWARD -j PODHOST-podhost0\n-A PODHOST-podhost0 -i podhost0 -j ACCEPT\n-A PODHOST-podhost0 -o podhost0 -j ACCEPT\nCOMMIT\n",
            ForwardChain.Open("podhost0", isLinked: false));
        Assert.DoesNotContain("-A FORWARD", ForwardChain.Open("podhost0", isLinked: true), StringComparison.Ordinal);
        Assert.InRange(ForwardChain.Name("fifteen-letters").Length, 1, 28);
    }

    [Fact]
    public async Task Without_iptables_nothing_is_done()
    {
        var firewall = new IptablesFirewall(_ => null);
        await firewall.OpenAsync("none0", withIPv6: true, Cancel);
        await firewall.CloseAsync("none0", Cancel);
    }

    [Fact]
    public async Task What_drops_all_that_is_forwarded_lets_the_bridge_through_and_all_is_gone_at_the_end()
    {
        Assert.SkipUnless(Environment.UserName == "root" && ProgramFinder.Find("iptables") is not null, "needs root and iptables");
        var name = string.Create(CultureInfo.InvariantCulture, $"phfw{Environment.ProcessId}");
        await RunAsync("ip", "netns", "add", name);
        try
        {
            var firewall = new IptablesFirewall(program => [ProgramFinder.Find("ip")!, "netns", "exec", name, ProgramFinder.Find(program)!]);
            await InsideAsync(name, "iptables", "-P", "FORWARD", "DROP");
            await firewall.OpenAsync("br0", withIPv6: true, Cancel);
            await firewall.OpenAsync("br0", withIPv6: true, Cancel);
            await firewall.OpenAsync("br1", withIPv6: false, Cancel);
            Assert.Equal(
                [
                    "-P FORWARD DROP", "-N PODHOST-br0", "-N PODHOST-br1", "-A FORWARD -j PODHOST-br0", "-A FORWARD -j PODHOST-br1",
                    "-A PODHOST-br0 -i br0 -j ACCEPT", "-A PODHOST-br0 -o br0 -j ACCEPT", "-A PODHOST-br1 -i br1 -j ACCEPT", "-A PODHOST-br1 -o br1 -j ACCEPT",
                ],
                await RulesAsync(name));
            Assert.Equal(
                ["-P FORWARD ACCEPT", "-N PODHOST-br0", "-A FORWARD -j PODHOST-br0", "-A PODHOST-br0 -i br0 -j ACCEPT", "-A PODHOST-br0 -o br0 -j ACCEPT"],
                await RulesAsync(name, "ip6tables"));

            await firewall.CloseAsync("br0", Cancel);
            await firewall.CloseAsync("br1", Cancel);
            await firewall.CloseAsync("br1", Cancel);
            Assert.Equal(["-P FORWARD DROP"], await RulesAsync(name));
            Assert.Equal(["-P FORWARD ACCEPT"], await RulesAsync(name, "ip6tables"));
        }
        finally
        {
            await RunAsync("ip", "netns", "delete", name);
        }
    }

    private static async Task<string[]> RulesAsync(string name, string program = "iptables") =>
        [.. (await InsideAsync(name, program, "-S")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l is not ("-P INPUT ACCEPT" or "-P OUTPUT ACCEPT"))];

    private static Task<string> InsideAsync(string name, params string[] words) => RunAsync("ip", ["netns", "exec", name, .. words]);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var result = await ProgramRunner.RunAsync(
            new SpawnRequest(ProgramFinder.Find(program)!, arguments) { Environment = [ProcessSpawner.DefaultPath] }, null, Cancel);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output;
    }
}
