using System.Diagnostics;
using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Network.Cni;
using Podhost.Runtime.State;
using Podhost.Runtime.Tests.Containers;
using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Network.Cni;

/// <summary>Pods on real plugins: bridge, host-local, portmap, bandwidth, and one of the test's own that fails when told to.</summary>
public sealed class CniNetworkTests : IDisposable
{
    private const string Plugins = "/usr/lib/cni";
    private readonly string _directory = Directory.CreateTempSubdirectory("podhost-cni-").FullName;
    private readonly string _bridge = $"phn{Environment.ProcessId % 10000}x{Interlocked.Increment(ref s_count)}";

    private static int s_count;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Run("ip", "link", "delete", _bridge);
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("0.3.1")]
    [InlineData("0.4.0")]
    [InlineData("1.0.0")]
    public async Task A_pod_gets_the_addresses_of_the_plugins_and_gives_them_back(string version)
    {
        await using var node = await StartAsync(Chain(version));
        var sandbox = await node.RunSandboxAsync();
        var status = await node.SandboxStatusAsync(sandbox);
        Assert.StartsWith("10.199.", status.Network.Ip, StringComparison.Ordinal);
        Assert.StartsWith("fd99::", Assert.Single(status.Network.AdditionalIps).Ip, StringComparison.Ordinal);
        var container = await node.RunAsync(sandbox, "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
        await node.ExecAsync(container, LifecycleTests.Retry("wget -q -O - http://127.0.0.1:8080/"));
        using var http = new HttpClient();
        Assert.Equal("hello\n", await http.GetStringAsync($"http://{status.Network.Ip}:8080/", Cancel));
        Assert.True((await node.Cri.PodSandboxStatsAsync(new PodSandboxStatsRequest { PodSandboxId = sandbox }, Cancel)).Stats.Linux.Network.DefaultInterface.RxBytes.Value > 0);
        Assert.Equal([status.Network.Ip], Reserved().Where(address => address.StartsWith("10.", StringComparison.Ordinal)));

        await node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = sandbox }, Cancel);
        Assert.Empty(Reserved());
        Assert.False(Directory.Exists("/sys/class/net/" + node.Options.Bridge), "the built-in bridge is not used");
    }

    [Fact]
    public async Task A_host_port_leads_to_the_pod_through_portmap()
    {
        await using var node = await StartAsync(Chain("1.0.0"));
        var port = Loopback.FreePort();
        var sandbox = await node.RunSandboxAsync(config => config.PortMappings.Add(new PortMapping { HostPort = port, ContainerPort = 8080 }));
        var container = await node.RunAsync(sandbox, "echo mapped > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
        await node.ExecAsync(container, LifecycleTests.Retry("wget -q -O - http://127.0.0.1:8080/"));
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        Assert.Equal("mapped\n", await http.GetStringAsync($"http://10.199.0.1:{port}/", Cancel));
        await node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = sandbox }, Cancel);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync($"http://10.199.0.1:{port}/", Cancel));
    }

    [Fact]
    public async Task A_plugin_that_fails_is_told_by_its_message_and_all_before_it_is_undone()
    {
        await using var node = await StartAsync(Chain("1.0.0", Failing()));
        File.WriteAllText(Path.Combine(_directory, "fail-ADD"), "");
        var failure = await Assert.ThrowsAsync<RpcException>(() => node.RunSandboxAsync());
        Assert.Matches(
            "^failed to setup network for sandbox \"[0-9a-f]{64}\": plugin type=\"test-plugin\" name=\"pods\" failed \\(add\\): no such luck; told to$", failure.Status.Detail);
        Assert.Empty(Reserved());
        Assert.Empty(Attachments(node));
        Assert.Equal(["ADD", "DEL"], Calls());

        // Where even DEL fails, the sandbox is shown as not ready, and its removal tries again.
        File.WriteAllText(Path.Combine(_directory, "fail-DEL"), "");
        await Assert.ThrowsAsync<RpcException>(() => node.RunSandboxAsync());
        var left = Assert.Single((await node.Cri.ListPodSandboxAsync(new ListPodSandboxRequest(), Cancel)).Items);
        Assert.Equal(PodSandboxState.SandboxNotready, left.State);
        File.Delete(Path.Combine(_directory, "fail-DEL"));
        await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = left.Id }, Cancel);
        Assert.Empty(Reserved());
    }

    [Fact]
    public async Task A_failed_DEL_keeps_the_pod_until_it_succeeds()
    {
        await using var node = await StartAsync(Chain("1.0.0", Failing()));
        var sandbox = await node.RunSandboxAsync();
        var trigger = Path.Combine(_directory, "fail-DEL");
        File.WriteAllText(trigger, "");
        var failure = await Assert.ThrowsAsync<RpcException>(() => node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = sandbox }, Cancel));
        Assert.Contains("failed (delete): no such luck", failure.Status.Detail, StringComparison.Ordinal);
        Assert.NotEmpty(Attachments(node));
        File.Delete(trigger);
        await node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = sandbox }, Cancel);
        Assert.Empty(Attachments(node));
        Assert.Empty(Reserved());
    }

    [Fact]
    public async Task DEL_has_the_configuration_of_its_ADD_whatever_the_directory_says_now()
    {
        await using var node = await StartAsync(Chain("1.0.0"));
        var sandbox = await node.RunSandboxAsync();
        File.WriteAllText(Path.Combine(_directory, "conf", "10-pods.conflist"), """{"cniVersion": "1.0.0", "name": "other", "plugins": [{"type": "absent"}]}""");
        await node.RestartAsync();
        Assert.Equal(PodSandboxState.SandboxReady, (await node.SandboxStatusAsync(sandbox)).State);
        var failure = await Assert.ThrowsAsync<RpcException>(() => node.RunSandboxAsync());
        Assert.Contains("failed to find plugin \"absent\" in path", failure.Status.Detail, StringComparison.Ordinal);
        await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = sandbox }, Cancel);
        Assert.Empty(Reserved());
    }

    [Fact]
    public async Task A_crash_between_ADD_and_its_record_leaves_no_address_reserved()
    {
        await using var node = await StartAsync(Chain("1.0.0"));
        var sandbox = await node.RunSandboxAsync();
        await node.CloseAsync();
        // As it was before ADD returned: the sandbox has no address yet, the attachment no result.
        var paths = new RuntimePaths(node.Options);
        var sandboxes = new RecordStore<SandboxRecord>(paths.SandboxRecords, RecordJson.Default.SandboxRecord);
        sandboxes.Save(sandbox, sandboxes.Read(sandbox)! with { Phase = SandboxPhase.Creating, Address = null, AdditionalAddresses = null });
        var attachments = new RecordStore<CniAttachment>(paths.CniAttachments, CniJson.Default.CniAttachment);
        attachments.Save(sandbox, attachments.Read(sandbox)! with { Result = null });
        Assert.NotEmpty(Reserved());
        await node.OpenAsync();
        Assert.Empty(Reserved());
        Assert.Empty(Attachments(node));
    }

    [Fact]
    public async Task After_a_reboot_DEL_gives_back_what_lies_on_the_disk()
    {
        await using var node = await StartAsync(Chain("1.0.0"));
        var sandbox = await node.RunSandboxAsync();
        var verbose = await node.Cri.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = sandbox, Verbose = true }, Cancel);
        await node.CloseAsync();
        using (var infra = Process.GetProcessById(RuntimeNode.InfraPid(verbose)))
        {
            infra.Kill();
        }

        Run("umount", Path.Combine(node.Options.RunDirectory, "netns", sandbox));
        File.Delete(Path.Combine(node.Options.RunDirectory, "netns", sandbox));
        await node.OpenAsync();
        Assert.Equal(PodSandboxState.SandboxNotready, (await node.SandboxStatusAsync(sandbox)).State);
        await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = sandbox }, Cancel);
        Assert.Empty(Reserved());
    }

    [Fact]
    public async Task CHECK_runs_on_adoption()
    {
        await using var node = await StartAsync(Chain("1.0.0", Failing()));
        await node.RunSandboxAsync();
        await node.RestartAsync();
        Assert.Equal(["ADD", "CHECK"], Calls());
    }

    [Theory]
    [InlineData("1.1.0", "")]
    [InlineData("1.1.0", "\"disableGC\": true, ")]
    [InlineData("1.0.0", "")]
    public async Task Plugins_of_1_1_are_asked_for_their_state_and_told_which_attachments_there_are(string version, string more)
    {
        await using var node = await StartAsync($$"""{"cniVersion": "{{version}}", "name": "pods", {{more}}"plugins": [{{Fake()}}]}""");
        var (is11, collects) = (version == "1.1.0", version == "1.1.0" && more.Length == 0);
        Assert.Equal(collects ? ["GC"] : [], Calls());
        Assert.True((await Ready(node)).Status);
        File.WriteAllText(Path.Combine(_directory, "fail-STATUS"), "");
        var (ready, message) = ((await Ready(node)).Status, (await Ready(node)).Message);
        Assert.Equal(
            is11 ? (false, "plugin type=\"test-plugin\" name=\"pods\" failed (status): no such luck; told to") : (true, ""), (ready, message));
        File.Delete(Path.Combine(_directory, "fail-STATUS"));
        var sandbox = await node.RunSandboxAsync();
        var gone = await node.RunSandboxAsync();
        await node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = gone }, Cancel);
        File.WriteAllText(Path.Combine(_directory, "fail-GC"), ""); // Is for the log: the pods go on.
        await node.RestartAsync();
        Assert.Equal(PodSandboxState.SandboxReady, (await node.SandboxStatusAsync(sandbox)).State);
        if (collects)
        {
            var request = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_directory, "GC"), Cancel))!;
            Assert.Equal($$"""[{"containerID":"{{sandbox}}","ifname":"eth0"}]""", request["cni.dev/valid-attachments"]!.ToJsonString());
            Assert.Equal(("1.1.0", "pods"), ((string?)request["cniVersion"], (string?)request["name"]));
        }
        else
        {
            Assert.DoesNotContain("GC", Calls());
        }
    }

    [Fact]
    public async Task Without_a_configuration_the_network_is_not_ready_until_there_is_one()
    {
        await using var node = await StartAsync(null);
        var status = await node.Cri.StatusAsync(new StatusRequest(), Cancel);
        var condition = Assert.Single(status.Status.Conditions, c => c.Type == "NetworkReady");
        Assert.Equal((false, "NetworkPluginNotReady", $"no network configuration in {_directory}/conf"), (condition.Status, condition.Reason, condition.Message));
        await Assert.ThrowsAsync<RpcException>(() => node.RunSandboxAsync());
        File.WriteAllText(Path.Combine(_directory, "conf", "10-pods.conflist"), Chain("1.0.0"));
        Assert.True((await node.Cri.StatusAsync(new StatusRequest(), Cancel)).Status.Conditions.Single(c => c.Type == "NetworkReady").Status);
        await node.RunSandboxAsync();
    }

    [Fact]
    public async Task Pods_of_the_bridge_are_disconnected_by_the_bridge_after_a_change_to_CNI()
    {
        await using var node = await RuntimeNode.StartAsync();
        var old = await node.RunSandboxAsync();
        await node.CloseAsync();
        node.Options = Configured(node.Options, Chain("1.0.0"));
        await node.OpenAsync();
        var young = await node.RunSandboxAsync();
        Assert.StartsWith("10.199.", (await node.SandboxStatusAsync(young)).Network.Ip, StringComparison.Ordinal);
        await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = old }, Cancel);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(node.Options.DataDirectory, "network", node.Options.Bridge)));
        await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = young }, Cancel);
        Assert.Empty(Reserved());
    }

    private async Task<RuntimeNode> StartAsync(string? network)
    {
        Assert.SkipUnless(File.Exists(Path.Combine(Plugins, "bridge")), "containernetworking-plugins are not installed");
        return await RuntimeNode.StartAsync(options => Configured(options, network));
    }

    private EmbeddedRuntimeOptions Configured(EmbeddedRuntimeOptions options, string? network)
    {
        var conf = Directory.CreateDirectory(Path.Combine(_directory, "conf")).FullName;
        if (network is not null)
        {
            File.WriteAllText(Path.Combine(conf, "10-pods.conflist"), network);
        }

        return options with { CniConfDirectory = conf, CniBinDirectories = [_directory, Plugins] };
    }

    private string Chain(string version, string more = "") => $$$"""
        {"cniVersion": "{{{version}}}", "name": "pods", "plugins": [
          {"type": "bridge", "bridge": "{{{_bridge}}}", "isGateway": true, "ipMasq": true, "hairpinMode": true,
           "ipam": {"type": "host-local", "dataDir": "{{{_directory}}}/ipam",
             "ranges": [[{"subnet": "10.199.0.0/24"}], [{"subnet": "fd99::/64"}]], "routes": [{"dst": "0.0.0.0/0"}]} },
          {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}{{{more}}}]}
        """;

    // Fails when a file says so, and else passes on what came before it, as a plugin of a chain does.
    private string Failing()
    {
        var plugin = Path.Combine(_directory, "test-plugin");
        File.WriteAllText(plugin, $$"""
            #!/bin/sh
            echo "$CNI_COMMAND" >> {{_directory}}/calls
            if [ -e "{{_directory}}/fail-$CNI_COMMAND" ]; then
              cat > /dev/null
              echo '{"cniVersion": "1.0.0", "code": 11, "msg": "no such luck", "details": "told to"}'
              exit 1
            fi
            [ "$CNI_COMMAND" = ADD ] && sed 's/.*"prevResult"://; s/}$//' || cat > /dev/null
            """);
        File.SetUnixFileMode(plugin, (UnixFileMode)0b111_101_101);
        return ", {\"type\": \"test-plugin\"}";
    }

    // Connects nothing, says that it did, and keeps what it was asked.
    private string Fake()
    {
        var plugin = Path.Combine(_directory, "test-plugin");
        File.WriteAllText(plugin, $$"""
            #!/bin/sh
            echo "$CNI_COMMAND" >> {{_directory}}/calls
            cat > {{_directory}}/$CNI_COMMAND
            if [ -e "{{_directory}}/fail-$CNI_COMMAND" ]; then
              echo '{"cniVersion": "1.1.0", "code": 50, "msg": "no such luck", "details": "told to"}'
              exit 1
            fi
            [ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.199.0.9/24"}]}' || true
            """);
        File.SetUnixFileMode(plugin, (UnixFileMode)0b111_101_101);
        return "{\"type\": \"test-plugin\"}";
    }

    private static async Task<RuntimeCondition> Ready(RuntimeNode node) =>
        (await node.Cri.StatusAsync(new StatusRequest(), Cancel)).Status.Conditions.Single(c => c.Type == "NetworkReady");

    private string[] Calls() => File.Exists(Path.Combine(_directory, "calls")) ? File.ReadAllLines(Path.Combine(_directory, "calls")) : [];

    private List<string> Reserved()
    {
        var directory = Path.Combine(_directory, "ipam", "pods");
        return !Directory.Exists(directory) ? [] : [.. Directory.EnumerateFiles(directory).Select(file => Path.GetFileName(file)!)
            .Where(name => char.IsAsciiHexDigit(name[0]) && name.IndexOfAny(['.', ':']) > 0)];
    }

    private static IEnumerable<string> Attachments(RuntimeNode node) => Directory.EnumerateFiles(Path.Combine(node.Options.DataDirectory, "network", "cni"));

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
    }
}
