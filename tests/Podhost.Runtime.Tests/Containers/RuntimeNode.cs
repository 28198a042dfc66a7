using System.Diagnostics;
using System.Net;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Files;
using Podhost.Linux.Mounts;
using Podhost.Runtime.Images;
using Podhost.Runtime.Tests.Images;
using Podhost.Streaming.Server;
using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Containers;

/// <summary>A runtime of its own in a temporary directory, with a busybox image. Its end asserts that nothing is left on the machine.</summary>
internal sealed class RuntimeNode : IAsyncDisposable
{
    internal const string Image = "example/busybox:1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static int _counter;
    private readonly string _directory;
    private readonly EmbeddedImages _images;
    private uint _attempt;

    private RuntimeNode(string directory, EmbeddedImages images, EmbeddedRuntimeOptions options, string image) =>
        (_directory, _images, Options, ImageName) = (directory, images, options, image);

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal EmbeddedRuntimeOptions Options { get; set; }

    internal string ImageName { get; }

    internal EmbeddedRuntime Runtime { get; private set; } = null!;

    internal IRuntimeService Cri => Runtime.Service;

    internal Podhost.Streaming.Contract.IStreamingBackend Backend => Runtime.StreamingBackend;

    internal string LogDirectory => Path.Combine(_directory, "logs");

    internal string CgroupParent => Options.DefaultCgroupParent;

    internal static async Task<RuntimeNode> StartAsync(Func<EmbeddedRuntimeOptions, EmbeddedRuntimeOptions>? change = null)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root for namespaces and mounts");
        foreach (var program in new[] { "conmon", "catatonit", "nft", "busybox" })
        {
            Assert.SkipUnless(Podhost.Linux.Processes.ProgramFinder.Find(program) is not null, $"needs {program}");
        }

        var number = Interlocked.Increment(ref _counter);
        var directory = Directory.CreateTempSubdirectory("podhost-rt-").FullName;
        // A pod with users of its own passes through the directory.
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_001_001);
        var images = await EmbeddedImages.OpenAsync(
            new EmbeddedImagesOptions { Directory = Path.Combine(directory, "data"), DurableLayers = false }, TimeProvider.System, new Random(1), NullLoggerFactory.Instance, Cancel);
        var image = await PullBusyboxAsync(images);
        var id = $"{Environment.ProcessId % 10000}x{number}";
        var options = new EmbeddedRuntimeOptions
        {
            DataDirectory = Path.Combine(directory, "data"),
            RunDirectory = Path.Combine(directory, "run"),
            Bridge = "pht" + id,
            PodCidrs = [IPNetwork.Parse($"10.{200 + (number % 50)}.{Environment.ProcessId % 250}.0/24")],
            DefaultCgroupParent = "/podhost-test-" + id,
        };
        var node = new RuntimeNode(directory, images, change?.Invoke(options) ?? options, image);
        await node.OpenAsync();
        return node;
    }

    /// <summary>A node on a copy of another's data, as the machine finds it after power was lost: nothing runs, nothing is mounted.</summary>
    internal static async Task<RuntimeNode> AfterPowerLossAsync(RuntimeNode before, string directory)
    {
        var data = Path.Combine(directory, "data");
        var images = await EmbeddedImages.OpenAsync(
            new EmbeddedImagesOptions { Directory = data, DurableLayers = false }, TimeProvider.System, new Random(1), NullLoggerFactory.Instance, Cancel);
        var options = before.Options with { DataDirectory = data, RunDirectory = Path.Combine(directory, "run") };
        var node = new RuntimeNode(directory, images, options, before.ImageName);
        await node.OpenAsync();
        return node;
    }

    /// <summary>What a crash and a new start of the process are to the pods.</summary>
    internal async Task RestartAsync()
    {
        await Runtime.DisposeAsync();
        await OpenAsync();
    }

    internal Task CloseAsync() => Runtime.DisposeAsync().AsTask();

    internal async Task OpenAsync() => Runtime = await EmbeddedRuntime.StartAsync(
        Options, _images, new StreamingServerOptions(), TestLog.Factory, TimeProvider.System, Cancel);

    internal PodSandboxConfig SandboxConfig(Action<PodSandboxConfig>? change = null)
    {
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = "pod", Namespace = "default", Uid = Guid.NewGuid().ToString(), Attempt = _attempt++ },
            Hostname = "pod",
            LogDirectory = LogDirectory,
            Linux = new LinuxPodSandboxConfig
            {
                SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Container } },
            },
        };
        config.Labels["app"] = "test";
        change?.Invoke(config);
        return config;
    }

    internal async Task<string> RunSandboxAsync(Action<PodSandboxConfig>? change = null) =>
        (await Cri.RunPodSandboxAsync(new RunPodSandboxRequest { Config = SandboxConfig(change) }, Cancel)).PodSandboxId;

    internal async Task<string> CreateAsync(string sandbox, string script, Action<ContainerConfig>? change = null)
    {
        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = "c" + Interlocked.Increment(ref _counter) },
            Image = new ImageSpec { Image = ImageName },
            LogPath = $"c{_counter}.log",
            Linux = new LinuxContainerConfig
            {
                SecurityContext = new LinuxContainerSecurityContext { NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Container } },
            },
        };
        config.Command.AddRange(["/bin/sh", "-c", script]);
        change?.Invoke(config);
        var request = new CreateContainerRequest { PodSandboxId = sandbox, Config = config, SandboxConfig = new PodSandboxConfig() };
        return (await Cri.CreateContainerAsync(request, Cancel)).ContainerId;
    }

    internal async Task<string> RunAsync(string sandbox, string script, Action<ContainerConfig>? change = null)
    {
        var id = await CreateAsync(sandbox, script, change);
        await Cri.StartContainerAsync(new StartContainerRequest { ContainerId = id }, Cancel);
        return id;
    }

    internal async Task<ContainerStatus> StatusAsync(string container) =>
        (await Cri.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = container }, Cancel)).Status;

    internal async Task<PodSandboxStatus> SandboxStatusAsync(string sandbox) =>
        (await Cri.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = sandbox }, Cancel)).Status;

    internal async Task<string> ExecAsync(string container, string script)
    {
        var request = new ExecSyncRequest { ContainerId = container };
        request.Cmd.AddRange(["/bin/sh", "-c", script]);
        var response = await Cri.ExecSyncAsync(request, Cancel);
        Assert.True(response.ExitCode == 0, $"exit code {response.ExitCode}: {response.Stderr.ToStringUtf8()}");
        return response.Stdout.ToStringUtf8();
    }

    /// <summary>Waits, by events, until the container has ended.</summary>
    internal async Task<ContainerStatus> WaitForExitAsync(string container)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        await using var events = Cri.GetContainerEventsAsync(new GetEventsRequest(), limit.Token).GetAsyncEnumerator(limit.Token);
        while (await StatusAsync(container) is var status)
        {
            if (status.State == ContainerState.ContainerExited)
            {
                return status;
            }

            await events.MoveNextAsync();
        }

        throw new UnreachableException();
    }

    internal async Task<PodSandboxStatus> WaitForNotReadyAsync(string sandbox)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Patience);
        await using var events = Cri.GetContainerEventsAsync(new GetEventsRequest(), limit.Token).GetAsyncEnumerator(limit.Token);
        while (await SandboxStatusAsync(sandbox) is var status)
        {
            if (status.State == PodSandboxState.SandboxNotready)
            {
                return status;
            }

            await events.MoveNextAsync();
        }

        throw new UnreachableException();
    }

    internal string Log(ContainerStatus status) => File.ReadAllText(status.LogPath);

    internal static int InfraPid(PodSandboxStatusResponse response) => int.Parse(response.Info["pid"]);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Runtime.RemoveAllAsync(CancellationToken.None);
            await Runtime.DisposeAsync();
            AssertNothingIsLeft();
        }
        finally
        {
            _images.Dispose();
            FileTree.Delete(_directory, CancellationToken.None);
        }
    }

    private void AssertNothingIsLeft()
    {
        Assert.DoesNotContain(MountTable.Read(), mount => mount.MountPoint.StartsWith(_directory, StringComparison.Ordinal));
        Assert.False(Directory.Exists("/sys/class/net/" + Options.Bridge), "the bridge is left");
        var cgroups = new CgroupTree(CgroupLayout.Detect());
        Assert.Empty(cgroups.Children(CgroupParent));
        Assert.True(cgroups.TryRemove(CgroupParent), "the cgroup parent is busy");
        Assert.DoesNotContain(Processes(), line => line.Contains(_directory, StringComparison.Ordinal));
        foreach (var directory in new[] { "netns", "utsns", "ipcns", "userns", "mapped", "sandboxes", "conmon", "exits", "oci" })
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Options.RunDirectory, directory)));
        }

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Options.DataDirectory, "network", Options.Bridge)));
    }

    private static IEnumerable<string> Processes() => Directory.EnumerateDirectories("/proc")
        .Where(path => int.TryParse(Path.GetFileName(path), out var pid) && pid != Environment.ProcessId)
        .Select(path =>
        {
            try
            {
                // An infra process tells nothing of its directory but by the root that it is confined to.
                return File.ReadAllText(path + "/cmdline").Replace('\0', ' ') + (File.ReadAllText(path + "/comm").StartsWith("catatonit", StringComparison.Ordinal) ? File.ReadAllText(path + "/mountinfo") : string.Empty);
            }
            catch (IOException)
            {
                return string.Empty;
            }
        });

    private static async Task<string> PullBusyboxAsync(EmbeddedImages images)
    {
        var busybox = await File.ReadAllBytesAsync(Podhost.Linux.Processes.ProgramFinder.Find("busybox")!, Cancel);
        var layer = new TestLayer().Directory("bin/").File("bin/busybox", busybox, (UnixFileMode)0b111_101_101);
        foreach (var applet in new[] { "sh", "sleep", "cat", "echo", "id", "env", "ls", "ip", "nc", "wget", "httpd", "ps", "kill", "head", "dd", "mount", "hostname", "tail", "stty", "wc", "yes", "true" })
        {
            layer.SymbolicLink("bin/" + applet, "busybox");
        }

        layer.Directory("etc/").File("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n").File("etc/group", "root:x:0:\napp:x:1001:\nextra:x:2000:app\n");
        layer.SymbolicLink("bin/mkdir", "busybox").SymbolicLink("bin/grep", "busybox");
        layer.Directory("tmp/", (UnixFileMode)0b1_111_111_111).Directory("srv/");
        await using var registry = await RegistryProcess.StartAsync();
        await registry.PushAsync("example/busybox", "1", TestImage.Create([layer.Tar()]));
        var name = $"{registry.Host}/example/busybox:1";
        await images.Service.PullImageAsync(new PullImageRequest { Image = new ImageSpec { Image = name } }, Cancel);
        return name;
    }
}

/// <summary>Logs of the runtime in a test's output, at Debug level, when PODHOST_TEST_LOG is set.</summary>
internal static class TestLog
{
    internal static ILoggerFactory Factory { get; } = Environment.GetEnvironmentVariable("PODHOST_TEST_LOG") is null
        ? NullLoggerFactory.Instance
        : new ConsoleLoggerFactory();

    private sealed class ConsoleLoggerFactory : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Console.Error.WriteLine($"{logLevel}: {formatter(state, exception)} {exception}");
    }
}
