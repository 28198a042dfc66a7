using System.Text.RegularExpressions;
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
        await ShowsAsync("top pod busy", @"^busy\s+[1-9]\d*m\s+\d+Mi");
        await ShowsAsync("top pod", @"^busy\s+[1-9]\d*m\s+\d+Mi");
        Assert.Matches(@"busy\s+main\s+[1-9]\d*m\s+\d+Mi", await K.OkAsync("top pod busy --containers"));
        Assert.Matches(@"\s[1-9]\d*m\s+\d+%\s+\d+Mi\s+\d+%", await K.OkAsync("top node"));
        Assert.Contains("busy", await K.OkAsync("top pod -l app=busy"));
        Assert.Contains("NotFound", (await K.RunAsync("top pod nobody")).Fails());
        if (await DebianKubectl.GetAsync(Path.Combine(Cluster.Root, "top120")) is { File: { } old })
        {
            Assert.Matches(@"busy\s+\d+m\s+\d+Mi", await (K with { File = old }).OkAsync("top pod busy"));
        }

        await K.OkAsync("delete pod busy --grace-period=0 --force");
    }

    // In the second in which a container started there is no rate yet, and nothing tells when there is one; of other pods of the namespace, if any,
    // the same is true, and their lines may be there too.
    private async Task ShowsAsync(string line, string pattern)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var ran = await K.RunAsync(line);
            if (ran.Code == 0 && Regex.IsMatch(ran.Out, pattern, RegexOptions.Multiline))
            {
                return;
            }

            Assert.False(deadline.IsCancellationRequested, $"{line} does not show {pattern}: {ran}");
        }
    }
}
