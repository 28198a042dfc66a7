using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Mounts;
using Podhost.Linux.Namespaces;
using Podhost.Linux.Native;
using Podhost.Linux.Netlink;
using Podhost.Linux.Processes;
using Podhost.Linux.Security;
using Podhost.Runtime.Network;
using Podhost.Runtime.Processes;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Sandboxes;

/// <summary>What a launch has made.</summary>
/// <param name="Infra">The infra process; null where a container is to follow.</param>
/// <param name="Inside">A socket of the new network namespace; null on the host's network.</param>
internal sealed record SandboxLaunch(ProcessIdentity? Infra, NetlinkSocket? Inside);

/// <summary>
/// Makes a sandbox's namespaces and its infra process. The usual way costs a thread and a posix_spawn: the thread takes new namespaces,
/// pins them, gives up its rights and view of the host, and starts catatonit. Where the infra process must be PID 1 of the pod, or comes
/// from an image, an OCI runtime starts it.
/// </summary>
internal sealed class InfraLauncher(RuntimeContext context)
{
    private const string BundledProgram = "catatonit";

    /// <summary>The infra process must be a container.</summary>
    internal bool NeedsContainer(SandboxRecord record) =>
        context.Options.InfraImage is not null || record.Namespaces.Pid == NamespaceMode.Pod;

    /// <summary>Puts the waiting program where infra processes see it as their whole world.</summary>
    internal static void PrepareRoot(RuntimePaths paths, string catatonit)
    {
        var program = Path.Combine(paths.InfraRoot, BundledProgram);
        if (!File.Exists(program) || new FileInfo(program).Length != new FileInfo(catatonit).Length)
        {
            File.Copy(catatonit, program + ".new", overwrite: true);
            File.SetUnixFileMode(program + ".new", (UnixFileMode)0b101_101_101);
            File.Move(program + ".new", program, overwrite: true);
        }

        foreach (var directory in new[] { string.Empty, "proc", "dev", "sys" })
        {
            var path = Path.Combine(paths.InfraRoot, directory);
            Directory.CreateDirectory(path);
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }
    }

    /// <summary>Makes the namespaces, and the infra process unless it is to be a container.</summary>
    internal Task<SandboxLaunch> LaunchAsync(SandboxRecord record)
    {
        var kinds = Kinds(record);
        var startsProcess = !NeedsContainer(record);
        return NamespaceThread.RunAsync(() =>
        {
            NamespaceThread.Unshare(kinds);
            if (kinds.HasFlag(NamespaceKinds.Uts))
            {
                NamespaceThread.SetHostname(SandboxFiles.Hostname(record));
            }

            if (kinds.HasFlag(NamespaceKinds.Network))
            {
                IPv6Settings.OfNewNamespace(context.Options.PodCidrs);
            }

            Pin(record.Id, kinds);
            ApplySysctls(record, kinds);
            var inside = kinds.HasFlag(NamespaceKinds.Network) ? OpenInside() : null;
            return new SandboxLaunch(startsProcess ? Start(record) : null, inside);
        });
    }

    /// <summary>
    /// Makes a sandbox with users of its own: a process of one thread alone can make a user namespace, so the OCI runtime does, with the other
    /// namespaces in its possession. They are pinned before its process starts.
    /// </summary>
    internal async Task<SandboxLaunch> LaunchMappedAsync(SandboxRecord record, CancellationToken cancellationToken)
    {
        var isNew = new SpecNamespaces(string.Empty, string.Empty, string.Empty, string.Empty, string.Empty);
        var input = await InputAsync(record, isNew, cancellationToken);
        input = input with
        {
            RootfsPath = context.MappedMounts.ShowRoot(record.Id, input.RootfsPath),
            Users = record.Users,
            Hostname = SandboxFiles.Hostname(record),
            Sysctls = SysctlsOf(record),
        };
        var infra = await CreateContainerAsync(record, input, cancellationToken);
        NamespaceThread.PinOf(infra.Pid, NamespaceKinds.User, UserNamespace(record.Id), context.Mounter);
        NamespaceThread.PinOf(infra.Pid, NamespaceKinds.Network, Path.Combine(context.Paths.NetworkNamespaces, record.Id), context.Mounter);
        NamespaceThread.PinOf(infra.Pid, NamespaceKinds.Ipc, Path.Combine(context.Paths.IpcNamespaces, record.Id), context.Mounter);
        NamespaceThread.PinOf(infra.Pid, NamespaceKinds.Uts, Path.Combine(context.Paths.UtsNamespaces, record.Id), context.Mounter);
        var inside = await NamespaceThread.RunInAsync(Path.Combine(context.Paths.NetworkNamespaces, record.Id), NamespaceKinds.Network, OpenInside);
        await context.Handlers.Get(record.RuntimeHandler).StartAsync(record.Id, cancellationToken);
        return new SandboxLaunch(infra, inside);
    }

    /// <summary>The file of a sandbox's user namespace.</summary>
    internal string UserNamespace(string sandboxId) => Path.Combine(context.Paths.UserNamespaces, sandboxId);

    /// <summary>The namespaces that containers of the sandbox join.</summary>
    internal SpecNamespaces Paths(SandboxRecord record)
    {
        var kinds = Kinds(record);
        return new SpecNamespaces(
            kinds.HasFlag(NamespaceKinds.Network) ? Path.Combine(context.Paths.NetworkNamespaces, record.Id) : null,
            kinds.HasFlag(NamespaceKinds.Ipc) ? Path.Combine(context.Paths.IpcNamespaces, record.Id) : null,
            kinds.HasFlag(NamespaceKinds.Uts) ? Path.Combine(context.Paths.UtsNamespaces, record.Id) : null,
            string.Empty,
            record.Users is null ? null : UserNamespace(record.Id));
    }

    /// <summary>Lets the namespaces go. Idempotent.</summary>
    internal void Unpin(string sandboxId)
    {
        foreach (var directory in new[] { context.Paths.NetworkNamespaces, context.Paths.IpcNamespaces, context.Paths.UtsNamespaces, context.Paths.UserNamespaces })
        {
            var path = Path.Combine(directory, sandboxId);
            context.Mounter.Unmount(path);
            File.Delete(path);
        }
    }

    /// <summary>Starts the infra process as a container, in the namespaces that were made.</summary>
    internal async Task<ProcessIdentity> StartContainerAsync(SandboxRecord record, CancellationToken cancellationToken)
    {
        var namespaces = Paths(record) with { Pid = record.Namespaces.Pid == NamespaceMode.Node ? null : string.Empty };
        var identity = await CreateContainerAsync(record, await InputAsync(record, namespaces, cancellationToken), cancellationToken);
        await context.Handlers.Get(record.RuntimeHandler).StartAsync(record.Id, cancellationToken);
        return identity;
    }

    private async Task<InfraSpecInput> InputAsync(SandboxRecord record, SpecNamespaces namespaces, CancellationToken cancellationToken)
    {
        var input = new InfraSpecInput
        {
            RootfsPath = context.Paths.InfraRoot,
            Arguments = [InfraSpec.Program, "-P"],
            CgroupPath = record.CgroupPath,
            Namespaces = namespaces,
            MinOomScoreAdjust = context.Host.MinOomScoreAdjust,
        };
        return context.Options.InfraImage is { } image ? await UseImageAsync(record, image, input, cancellationToken) : input;
    }

    private async Task<ProcessIdentity> CreateContainerAsync(SandboxRecord record, InfraSpecInput input, CancellationToken cancellationToken)
    {
        var bundle = context.Paths.Bundle(record.Id);
        Directory.CreateDirectory(bundle);
        await File.WriteAllTextAsync(Path.Combine(bundle, "config.json"), InfraSpec.Build(input).ToJsonString(), cancellationToken);
        var runtime = context.Handlers.Get(record.RuntimeHandler);
        var pidFile = Path.Combine(bundle, Conmon.PidFile);
        await runtime.CreateDetachedAsync(record.Id, bundle, pidFile, record.Users is not null, cancellationToken);
        return ProcessIdentity.Read(Conmon.ReadPid(pidFile)) ?? throw new RpcException(new Status(StatusCode.Internal, "the infra container ended at once"));
    }

    private static NamespaceKinds Kinds(SandboxRecord record)
    {
        var kinds = NamespaceKinds.None;
        if (record.Namespaces.Network != NamespaceMode.Node)
        {
            // A pod on the host's network has the host's name as well.
            kinds |= NamespaceKinds.Network | NamespaceKinds.Uts;
        }

        return record.Namespaces.Ipc != NamespaceMode.Node ? kinds | NamespaceKinds.Ipc : kinds;
    }

    private static NetlinkSocket OpenInside()
    {
        var socket = NetlinkSocket.Open();
        var netlink = new RouteNetlink(socket);
        netlink.SetUp(netlink.FindLink("lo")!.Index);
        return socket;
    }

    private static Dictionary<string, string> SysctlsOf(SandboxRecord record)
    {
        var sysctls = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in record.Config.Linux?.Sysctls ?? [])
        {
            sysctls[Sysctls.NamespaceOf(name) is null ? throw NotOfNamespace(name) : Sysctls.Dotted(name)] = value;
        }

        return sysctls;
    }

    private static RpcException NotOfNamespace(string name) =>
        new(new Status(StatusCode.InvalidArgument, $"sysctl {name} does not belong to a namespace of this pod"));

    private static void ApplySysctls(SandboxRecord record, NamespaceKinds kinds)
    {
        foreach (var (name, value) in record.Config.Linux?.Sysctls ?? [])
        {
            if (Sysctls.NamespaceOf(name) is not { } needed || !kinds.HasFlag(needed))
            {
                throw NotOfNamespace(name);
            }

            try
            {
                File.WriteAllText(Sysctls.PathOf(name), value);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"sysctl {name}={value}: {failure.Message}"));
            }
        }
    }

    // On a thread of its own, which ends after this: it has no rights and no host to see any more.
    private ProcessIdentity Start(SandboxRecord record)
    {
        _ = context.Cgroups.TryAddCurrentThread(record.CgroupPath); // On v2 the process is moved once it runs.
        using var nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        NamespaceThread.ConfineTo(context.Paths.InfraRoot, context.Mounter);
        ThreadRights.DropAll(InfraSpec.Nobody, InfraSpec.Nobody);
        var child = ProcessSpawner.Spawn(new SpawnRequest(InfraSpec.Program, ["-P"])
        {
            NewSession = true,
            OpenNull = false,
            Descriptors = [new(nothing, 0), new(nothing, 1), new(nothing, 2)],
        });
        _ = child.Exit; // Collected whenever it ends while we live; afterwards by init.
        return new ProcessIdentity(child.Pid, 0);
    }

    private void Pin(string id, NamespaceKinds kinds)
    {
        PinOne(kinds, NamespaceKinds.Network, Path.Combine(context.Paths.NetworkNamespaces, id));
        PinOne(kinds, NamespaceKinds.Ipc, Path.Combine(context.Paths.IpcNamespaces, id));
        PinOne(kinds, NamespaceKinds.Uts, Path.Combine(context.Paths.UtsNamespaces, id));
    }

    private void PinOne(NamespaceKinds kinds, NamespaceKinds kind, string path)
    {
        if (kinds.HasFlag(kind))
        {
            NamespaceThread.Pin(kind, path, context.Mounter);
        }
    }

    private async Task<InfraSpecInput> UseImageAsync(SandboxRecord record, string name, InfraSpecInput input, CancellationToken cancellationToken)
    {
        var image = context.Images.Find(name);
        if (image is null && context.PullImage is { } pull)
        {
            await pull(name, cancellationToken);
            image = context.Images.Find(name);
        }

        if (image is null)
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"infra image {name} is not on this node"));
        }

        var rootfs = await context.Rootfs.PrepareRootfsAsync(record.Id, image.Id, userNamespace: null, cancellationToken);
        var user = UserResolver.Read(rootfs.Path).Resolve(null, image.Config.User);
        IReadOnlyList<string> arguments = [.. image.Config.Entrypoint, .. image.Config.Cmd];
        return arguments.Count == 0
            ? throw new RpcException(new Status(StatusCode.InvalidArgument, $"infra image {name} has no command"))
            : input with { RootfsPath = rootfs.Path, Arguments = arguments, Environment = image.Config.Env, Uid = user.Uid, Gid = user.Gid };
    }
}
