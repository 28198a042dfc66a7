using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Integration.Tests.Instances;

/// <summary>What a pod has on the machine: looked for while it is there, and looked for again when it is gone.</summary>
public sealed partial class PodTraces
{
    private readonly Instance _instance;
    private readonly string _uid;
    private readonly string[] _ids;
    private readonly string _network;
    private readonly SafeFileHandle _held;
    private readonly string _device;
    private readonly string[] _rules;

    private PodTraces(Instance instance, string uid, string[] ids, string network, SafeFileHandle held, string device, string[] rules)
    {
        _rules = rules;
        _held = held;
        _instance = instance;
        _uid = uid;
        _ids = ids;
        _network = network;
        _device = device;
    }

    /// <summary>The traces of a pod whose sandbox is there.</summary>
    public static async Task<PodTraces> OfAsync(Instance instance, string uid)
    {
        // Each container and the infra container have a cgroup in the pod's.
        var children = Cgroups(instance, uid).SelectMany(Directory.GetDirectories).ToArray();
        string[] ids = [.. children.Select(Path.GetFileName).OfType<string>().Distinct()];
        var process = children.SelectMany(Processes).First();
        var network = new FileInfo($"/proc/{process}/ns/net").LinkTarget!;
        // The kernel gives a namespace's number to the next one as soon as it ends: held, so that nobody else's is taken for the pod's.
        var held = File.OpenHandle($"/proc/{process}/ns/net", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var links = (await Shell.RunAsync("nsenter", ["-t", process, "-n", "ip", "-o", "link", "show", "eth0"])).Ok();
        var index = PeerIndex().Match(links).Groups[1].Value;
        var device = Directory.GetDirectories("/sys/class/net").Single(d => Index(d) == index);
        var address = Address().Match((await Shell.RunAsync("nsenter", ["-t", process, "-n", "ip", "-o", "-4", "addr", "show", "eth0"])).Ok()).Groups[1].Value;
        var word = new Regex($@"(?<![\d.]){Regex.Escape(address)}(?![\d.])");
        return new PodTraces(instance, uid, ids, network, held, device, [.. (await RulesetAsync()).Where(r => word.IsMatch(r))]);
    }

    // Devices of other pods come and go meanwhile.
    private static string? Index(string device)
    {
        try
        {
            return File.ReadAllText(Path.Combine(device, "ifindex")).Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>What of the machine's packet filter names the pod's address: rules, and elements of maps and sets.</summary>
    public IReadOnlyCollection<string> Rules => _rules;

    // A line is a rule, a declaration, or some elements; counters change and do not count.
    private static async Task<HashSet<string>> RulesetAsync() =>
        [.. (await Shell.RunAsync("nft", ["list", "ruleset"])).Ok().Split('\n').Select(l => Counter().Replace(l, ""))
            .SelectMany(l => l.Contains("elements = {", StringComparison.Ordinal) || !l.Contains('{', StringComparison.Ordinal) ? l.Replace("elements = {", "", StringComparison.Ordinal).Split(',') : [l])
            .Select(e => e.Trim(' ', '\t', '}')).Where(e => e.Length > 0)];

    /// <summary>The pod's cgroups, one for each hierarchy.</summary>
    public static string[] Cgroups(Instance instance, string uid) =>
        [.. Directory.GetDirectories("/sys/fs/cgroup", $"*{uid.Replace('-', '*')}", new EnumerationOptions { RecurseSubdirectories = true })
            .Where(d => d.Contains(instance.CgroupRoot + "/", StringComparison.Ordinal))];

    /// <summary>The first process of the pod's infra container.</summary>
    /// <param name="instance">Where the pod is.</param>
    /// <param name="uid">The pod's.</param>
    /// <param name="containers">Ids of all its other containers.</param>
    public static int InfraProcess(Instance instance, string uid, IReadOnlyCollection<string> containers)
    {
        var pod = Cgroups(instance, uid).First(d => Directory.GetDirectories(d).Length > containers.Count);
        return int.Parse(Processes(Directory.GetDirectories(pod).Single(d => !containers.Contains(Path.GetFileName(d)))).First());
    }

    /// <summary>Waits until nothing of the pod is left: the API forgets a pod a moment before its directories go.</summary>
    public async Task GoneAsync()
    {
        string[] left = [];
        for (var attempt = 0; attempt < 600; attempt++)
        {
            var rules = await RulesetAsync();
            left = [.. Left(), .. _rules.Where(rules.Contains).Select(r => $"nftables {r}")];
            if (left.Length == 0)
            {
                _held.Dispose();
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        Assert.Fail("left behind:\n" + string.Join('\n', left));
    }

    private IEnumerable<string> Left()
    {
        var network = $" {_network} ";
        return
        [
            .. new[] { Path.Combine(_instance.Root, "data/kubelet/pods", _uid), _device }.Where(Directory.Exists),
            .. Directory.GetDirectories(Path.Combine(_instance.Root, "logs"), $"*{_uid}"),
            .. LogLinks(),
            .. Cgroups(_instance, _uid),
            .. File.ReadLines("/proc/self/mountinfo").Where(m => m.Contains(_uid, StringComparison.Ordinal) || m.Contains(network, StringComparison.Ordinal) || Names(m)),
            .. Directory.GetDirectories("/proc").Where(d => char.IsDigit(Path.GetFileName(d)[0])).Where(IsOfThePod),
        ];
    }

    private IEnumerable<string> LogLinks()
    {
        var directory = Path.Combine(_instance.Root, "containers");
        return Directory.Exists(directory)
            ? Directory.GetFiles(directory).Where(l => new FileInfo(l).LinkTarget?.Contains(_uid, StringComparison.Ordinal) == true)
            : [];
    }

    private bool IsOfThePod(string process)
    {
        try
        {
            return Names(File.ReadAllText(Path.Combine(process, "cmdline"))) || new FileInfo(Path.Combine(process, "ns/net")).LinkTarget == _network;
        }
        catch (IOException)
        {
            return false; // ended meanwhile
        }
    }

    private bool Names(string text) => _ids.Any(id => text.Contains(id, StringComparison.Ordinal));

    private static string[] Processes(string cgroup) => File.ReadAllLines(Path.Combine(cgroup, "cgroup.procs"));

    [GeneratedRegex(@"inet ([\d.]+)/")]
    private static partial Regex Address();

    [GeneratedRegex(@"counter packets \d+ bytes \d+ ?")]
    private static partial Regex Counter();

    [GeneratedRegex(@"eth0@if(\d+):")]
    private static partial Regex PeerIndex();
}
