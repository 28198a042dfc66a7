using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>kubectl top, with both kubectls.</summary>
public sealed class TopTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Usage_of_nodes_and_pods_is_shown()
    {
        await K.ApplyAsync(ShellPod("busy", "while :; do :; done", "resources: {limits: {cpu: 200m}}"));
        await K.ReadyAsync("busy");
        Assert.Matches(@"busy\s+[1-9]\d*m\s+\d+Mi", await FirstAsync("top pod"));
        Assert.Matches(@"busy\s+main\s+[1-9]\d*m\s+\d+Mi", await K.OkAsync("top pod busy --containers"));
        Assert.Matches(@"\s[1-9]\d*m\s+\d+%\s+\d+Mi\s+\d+%", await K.OkAsync("top node"));
        Assert.Contains("busy", await K.OkAsync("top pod -l app=busy"));
        Assert.Contains("NotFound", (await K.RunAsync("top pod nobody")).Fails());
        if (await DebianKubectl.GetAsync(Path.Combine(Cluster.Root, "top120")) is { File: { } old })
        {
            Assert.Matches(@"busy\s+\d+m\s+\d+Mi", await (K with { File = old }).OkAsync("top pod"));
        }

        await K.OkAsync("delete pod busy --grace-period=0 --force");
    }

    // In the second in which a container started there is no rate yet, and nothing tells when there is one.
    private async Task<string> FirstAsync(string line)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var ran = await K.RunAsync(line);
            if (ran.Code == 0 || deadline.IsCancellationRequested)
            {
                return ran.Ok();
            }
        }
    }
}
