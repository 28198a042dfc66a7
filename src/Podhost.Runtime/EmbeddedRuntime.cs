using System.Diagnostics;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Mounts;
using Podhost.Linux.Nftables;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;
using Podhost.Runtime.Adoption;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Events;
using Podhost.Runtime.Images;
using Podhost.Runtime.Network;
using Podhost.Runtime.Network.Firewall;
using Podhost.Runtime.Network.Cni;
using Podhost.Runtime.Processes;
using Podhost.Runtime.Sandboxes;
using Podhost.Runtime.Service;
using Podhost.Runtime.Snapshots;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;
using Podhost.Runtime.Stats;
using Podhost.Runtime.Streaming;
using Podhost.Streaming.Contract;
using Podhost.Streaming.Server;

namespace Podhost.Runtime;

/// <summary>
/// The embedded container runtime with everything around it: what the composition root builds and disposes. Pods outlive it: the next one
/// on the same directories adopts them.
/// </summary>
public sealed partial class EmbeddedRuntime : IAsyncDisposable
{
    private readonly RuntimeContext _context;
    private readonly StreamingServer _streaming;
    private readonly FileStream _lock;
    private readonly CancellationTokenSource _stopping;
    private readonly DirectoryWatcher _exitWatcher;
    private readonly PodNetworks _network;
    private readonly Task _recording;
    private Task _trial = Task.CompletedTask;

    private EmbeddedRuntime(
        RuntimeContext context, RuntimeVerbs verbs, PodNetworks network, FileStream lockFile, DirectoryWatcher watcher, ExitRecorder exits, CancellationTokenSource stopping)
    {
        _stopping = stopping;
        (_context, _streaming, _network, _lock, _exitWatcher) = (context, verbs.Streaming, network, lockFile, watcher);
        Service = new Service.RuntimeService(context, verbs);
        StreamingBackend = new StreamingBackend(context);
        _recording = exits.RunAsync(watcher, _stopping.Token);
    }

    /// <summary>CRI's runtime service.</summary>
    public IRuntimeService Service { get; }

    /// <summary>The OCI runtime that was chosen by trying.</summary>
    public string OciRuntime => _context.Handlers.Standard.Program;

    /// <summary>Exec, attach and port-forward, beside their URLs.</summary>
    internal IStreamingBackend StreamingBackend { get; }

    /// <summary>Ends, with its failure, when exits of containers are recorded no more. The composition root ends the process then.</summary>
    public Task Completion => _recording;

    /// <summary>Prepares the node, takes over what an earlier run left, and is ready when this returns.</summary>
    /// <param name="options">Directories, bridge, range, programs.</param>
    /// <param name="images">The embedded images of the same node.</param>
    /// <param name="streaming">Where exec, attach and port-forward are served.</param>
    /// <param name="loggers">Logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="IOException">A directory is in use by another instance, or a program is missing; the message says which.</exception>
    /// <exception cref="RpcException">No OCI runtime works on this machine.</exception>
    public static async Task<EmbeddedRuntime> StartAsync(
        EmbeddedRuntimeOptions options, EmbeddedImages images, StreamingServerOptions streaming, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(loggers);
        var logger = loggers.CreateLogger<EmbeddedRuntime>();
        var started = Stopwatch.GetTimestamp();
        var paths = new RuntimePaths(options);
        paths.CreateAll();
        var lockFile = Lock(options.DataDirectory);
        var stopping = new CancellationTokenSource();
        try
        {
            InfraLauncher.PrepareRoot(paths, Find(options.Catatonit));
            var network = Network(options, paths, loggers, time);
            var context = await BuildContextAsync(options, paths, images, network, loggers, time, stopping.Token, cancellationToken);
            var runtime = await StartAsync(context, network, lockFile, stopping, streaming, loggers, cancellationToken);
            LogStarted(logger, runtime.OciRuntime, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            return runtime;
        }
        catch
        {
            await stopping.CancelAsync();
            stopping.Dispose();
            await lockFile.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops and removes all sandboxes with their containers, then the bridge and the rules. For <c>podhost reset</c>.</summary>
    /// <param name="cancellationToken">Ends it half-way; it can be called again.</param>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        foreach (var sandbox in _context.State.Sandboxes.ToList())
        {
            await Service.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = sandbox.Id }, cancellationToken);
        }

        await _network.RemoveAsync(cancellationToken);
    }

    /// <summary>
    /// Begins to find out whether pods can have users of their own, so that the first Status call need not wait for it: beside the rest of a start
    /// it costs no time.
    /// </summary>
    public void TryUserNamespaces() =>
        _trial = Task.Run(() => _context.UserNamespaces.ProblemAsync(_context.Handlers.Standard, _stopping.Token));

    /// <summary>Stops serving. Pods keep running.</summary>
    public async ValueTask DisposeAsync()
    {
        await _trial.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await _streaming.DisposeAsync();
        await _stopping.CancelAsync();
        await _recording.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _context.Events.Close();
        _exitWatcher.Dispose();
        _network.Dispose();
        await _lock.DisposeAsync();
        _stopping.Dispose();
    }

    private static async Task<RuntimeContext> BuildContextAsync(
        EmbeddedRuntimeOptions options, RuntimePaths paths, EmbeddedImages images, PodNetworks network, ILoggerFactory loggers, TimeProvider time,
        CancellationToken stopping, CancellationToken cancellationToken)
    {
        var cgroups = new CgroupTree(CgroupLayout.Detect());
        var host = HostFactsReader.Read(cgroups);
        host = host with { DefaultAppArmorProfile = await new AppArmorLoader(loggers.CreateLogger<AppArmorLoader>()).LoadAsync(host.HasAppArmor, cancellationToken) };
        var chooser = new OciRuntimeChooser(paths, cgroups, host, loggers.CreateLogger<OciRuntimeChooser>());
        var standard = await chooser.ChooseAsync(options.OciRuntimes, cancellationToken);
        var named = options.RuntimeHandlers.ToDictionary(pair => pair.Key, pair => new OciRuntime(Find(pair.Value), paths.OciState), StringComparer.Ordinal);
        // The runtime that was chosen has its name as a handler, too: a RuntimeClass must name one.
        named.TryAdd(Path.GetFileName(standard.Program), standard);
        var mounter = new Mounter();
        var mapped = new MappedMounts(paths, mounter);
        return new RuntimeContext
        {
            Options = options,
            Paths = paths,
            State = new RuntimeState(paths),
            Cgroups = cgroups,
            Mounter = mounter,
            MappedMounts = mapped,
            UserNamespaces = new UserNamespaceTrial(paths, cgroups, mapped, mounter, host, loggers.CreateLogger<UserNamespaceTrial>()),
            Network = network,
            Images = images.Catalog,
            Rootfs = images.Rootfs,
            PullImage = (image, token) => images.Service.PullImageAsync(new PullImageRequest { Image = new ImageSpec { Image = image } }, token),
            Conmon = new Conmon(Find(options.Conmon)),
            Host = host,
            Handlers = new RuntimeHandlers(standard, named),
            Events = new EventHub(),
            Time = time,
            Stopping = stopping,
        };
    }

    private static async Task<EmbeddedRuntime> StartAsync(
        RuntimeContext context, PodNetworks network, FileStream lockFile, CancellationTokenSource stopping, StreamingServerOptions streaming, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var files = new SandboxFiles(context.Paths, context.Mounter);
        var launcher = new InfraLauncher(context);
        var exits = new ExitRecorder(context, loggers.CreateLogger<ExitRecorder>());
        var stopper = new ContainerStopper(context);
        var remover = new ContainerRemover(context, stopper, loggers.CreateLogger<ContainerRemover>());
        var sandboxes = new SandboxManager(context, files, launcher, stopper, remover, loggers.CreateLogger<SandboxManager>());
        var starter = new ContainerStarter(context, exits, loggers.CreateLogger<ContainerStarter>());
        // Before the world is looked at: no exit falls between.
        var watcher = new DirectoryWatcher(context.Paths.Exits);
        var adopter = new Adopter(
            context, new WorldObserver(context, exits), sandboxes, starter, remover, exits, launcher, files, loggers.CreateLogger<Adopter>());
        await adopter.AdoptAsync(cancellationToken);
        var verbs = new RuntimeVerbs
        {
            Sandboxes = sandboxes,
            Creator = new ContainerCreator(context, files, launcher, remover, loggers.CreateLogger<ContainerCreator>()),
            Starter = starter,
            Stopper = stopper,
            Remover = remover,
            Updater = new ResourceUpdater(context),
            LogReopener = new LogReopener(context),
            ExecSync = new ExecSyncRunner(context),
            Stats = new StatsReader(context),
            Metrics = new MetricsReader(context, new StatsReader(context)),
            Streaming = new StreamingServer(new StreamingBackend(context), streaming, context.Time, loggers),
        };
        await verbs.Streaming.StartAsync(cancellationToken);
        return new EmbeddedRuntime(context, verbs, network, lockFile, watcher, exits, stopping);
    }

    private static PodNetworks Network(EmbeddedRuntimeOptions options, RuntimePaths paths, ILoggerFactory loggers, TimeProvider time)
    {
        var bridge = new BridgeNetwork(options, paths, new NftProgram(), new IptablesFirewall(), loggers.CreateLogger<BridgeNetwork>());
        var cni = new CniNetwork(options, paths, new CniPlugins(options.CniBinDirectories, time), loggers.CreateLogger<CniNetwork>());
        return new PodNetworks(bridge, cni, options.CniConfDirectory is not null);
    }

    private static FileStream Lock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure)
        {
            throw new IOException($"{directory} is in use by another podhost", failure);
        }
    }

    private static string Find(string program) =>
        ProgramFinder.Find(program) ?? throw new IOException($"{program} is not installed");

    [LoggerMessage(Level = LogLevel.Information, Message = "The runtime is ready after {Milliseconds} ms, with {OciRuntime}")]
    private static partial void LogStarted(ILogger logger, string ociRuntime, double milliseconds);
}
