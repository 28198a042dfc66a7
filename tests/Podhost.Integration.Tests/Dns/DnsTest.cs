using System.Diagnostics;
using System.Text.RegularExpressions;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Dns;

/// <summary>Tests of names, asked in pods as programs ask (by the resolver, with search domains) and by nslookup.</summary>
public abstract partial class DnsTest(ClusterFixture cluster) : ClusterTest(cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The address that programs of a pod get for a name; empty where there is none.</summary>
    protected static async Task<string> ResolveAsync(Kubectl k, string pod, string name) =>
        ResolvedAddress().Match((await k.RunAsync(["exec", pod, "--", "ping", "-c", "1", "-w", "1", "-W", "1", name], null)).Out).Groups[1].Value;

    /// <summary>What nslookup says of a whole name, without the server's address.</summary>
    protected static async Task<string> LookUpAsync(Kubectl k, string pod, string type, string name)
    {
        var ran = await k.RunAsync(["exec", pod, "--", "nslookup", $"-type={type}", name + "."], null);
        return string.Join('\n', (ran.Out + ran.Error).Split('\n').Skip(2).Where(l => l.Length > 0));
    }

    /// <summary>Asks until the answer is as it must be: nothing tells a client when a name has changed.</summary>
    protected static async Task BecomesAsync(Func<Task<string>> ask, Func<string, bool> isRight)
    {
        string last;
        for (var start = Stopwatch.StartNew(); !isRight(last = await ask());)
        {
            Assert.True(start.Elapsed < Patience, $"still: {last}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    /// <summary>A pod with a hostname of its own that is ready while there is /ready.</summary>
    protected static string Member(string name, string service, bool ready = true) => ShellPod(
        name,
        (ready ? "touch /ready; " : "") + "sleep 3600",
        "readinessProbe: {exec: {command: [test, -f, /ready]}, periodSeconds: 1, failureThreshold: 1}",
        $"hostname: {name}\n  subdomain: {service}").Replace($"app: {name}", $"app: {service}", StringComparison.Ordinal);

    [GeneratedRegex(@"^PING \S+ \(([^)]+)\)")]
    private static partial Regex ResolvedAddress();
}
