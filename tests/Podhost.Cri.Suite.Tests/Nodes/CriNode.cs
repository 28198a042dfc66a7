using System.Diagnostics;
using Podhost.Cri.Client;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Tests.Shared;

namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary>A runtime behind its socket, reached by the gRPC client as a kubelet or crictl reaches it, with the suite's image.</summary>
public abstract class CriNode : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private CriClient? _client;
    private SuiteRegistry? _registry;
    private int _names;

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Why the suite cannot run on this runtime here; null: it can.</summary>
    internal abstract string? CannotRun { get; }

    /// <summary>True for containerd: where it differs, the test says why.</summary>
    internal abstract bool IsContainerd { get; }

    /// <summary>A directory of the suite's own on the node.</summary>
    internal string Root { get; private set; } = "";

    internal IRuntimeService Runtime => _client!.Runtime;

    internal IImageService Images => _client!.Images;

    internal string Image => $"{_registry!.Host}/suite/busybox:1";

    internal string SecondImage => $"{_registry!.Host}/suite/busybox:second";

    internal string Tagged(string tag) => $"{_registry!.Host}/suite/busybox:{tag}";

    internal string ImageByDigest => $"{_registry!.Host}/suite/busybox@{_registry.Digest}";

    internal string LogDirectory => Path.Combine(Root, "logs");

    /// <summary>The pods' cgroup.</summary>
    internal string CgroupParent => $"/podhost-suite-{GetType().Name.ToLowerInvariant()}-{Environment.ProcessId}";

    public async ValueTask InitializeAsync()
    {
        if ((CannotRun ?? RegistryProcess.WhyNot()) is not null)
        {
            return;
        }

        Root = Directory.CreateTempSubdirectory("ph-cri-").FullName;
        // A pod with users of its own passes through the directory.
        File.SetUnixFileMode(Root, (UnixFileMode)0b111_001_001);
        _registry = await SuiteRegistry.StartAsync();
        _client = new CriClient(new CriClientOptions { Endpoint = await StartRuntimeAsync() }, TimeProvider.System);
        await PullAsync(Image);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_client is null)
        {
            return;
        }

        foreach (var sandbox in (await Runtime.ListPodSandboxAsync(new ListPodSandboxRequest(), CancellationToken.None)).Items)
        {
            await Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = sandbox.Id }, CancellationToken.None);
            await Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = sandbox.Id }, CancellationToken.None);
        }

        await _client.DisposeAsync();
        await StopRuntimeAsync();
        RemoveCgroups();
        await _registry!.DisposeAsync();
        var left = File.ReadLines("/proc/self/mounts").Where(line => line.Contains(Root, StringComparison.Ordinal)).ToList();
        Assert.True(left.Count == 0, string.Join('\n', left));
        Directory.Delete(Root, recursive: true);
    }

    // The pods' cgroups are the kubelet's to remove: here ours.
    private void RemoveCgroups()
    {
        foreach (var top in Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(hierarchy => hierarchy + CgroupParent).Where(Directory.Exists))
        {
            foreach (var cgroup in Directory.GetDirectories(top, "*", SearchOption.AllDirectories).OrderByDescending(path => path.Length).Append(top))
            {
                Directory.Delete(cgroup);
            }
        }
    }

    /// <summary>Starts the runtime; its socket is the result.</summary>
    private protected abstract Task<string> StartRuntimeAsync();

    private protected abstract Task StopRuntimeAsync();

    internal string Name(string of) => $"{of}-{Interlocked.Increment(ref _names)}";

    internal async Task<string> PullAsync(string image) =>
        (await Images.PullImageAsync(new PullImageRequest { Image = new ImageSpec { Image = image } }, CancellationToken.None)).ImageRef;

    internal PodSandboxConfig Sandbox(Action<PodSandboxConfig>? change = null)
    {
        var name = Name("pod");
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = name, Namespace = "suite", Uid = Guid.NewGuid().ToString() },
            Hostname = name,
            LogDirectory = Path.Combine(LogDirectory, name),
            Linux = new LinuxPodSandboxConfig
            {
                CgroupParent = $"{CgroupParent}/{name}",
                SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Container } },
            },
        };
        config.Labels["app"] = name;
        config.Annotations["note"] = "a note";
        change?.Invoke(config);
        return config;
    }

    internal async Task<Pod> RunAsync(Action<PodSandboxConfig>? change = null)
    {
        var config = Sandbox(change);
        Directory.CreateDirectory(config.LogDirectory);
        var id = (await Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = config }, Cancel)).PodSandboxId;
        return new Pod(this, id, config);
    }

    /// <summary>Waits until something holds that no event tells of: containerd before 1.7 has none.</summary>
    internal static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> holds)
    {
        for (var limit = Stopwatch.StartNew(); ;)
        {
            var seen = await look();
            if (holds(seen))
            {
                return seen;
            }

            Assert.True(limit.Elapsed < Patience, $"still {seen}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancel);
        }
    }
}
