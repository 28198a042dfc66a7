using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Linux.Native;
using Podhost.Linux.Security;
using Podhost.Runtime.Images;
using Podhost.Runtime.Sandboxes;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Containers;

/// <summary>Makes a container ready to start: root file system, mounts, OCI configuration. No process yet.</summary>
internal sealed class ContainerCreator(
    RuntimeContext context, SandboxFiles files, InfraLauncher launcher, ContainerRemover remover, ILogger<ContainerCreator> logger)
{
    private const int MaxProfileBytes = 4 << 20;
    private readonly Lock _names = new();

    /// <summary>The container's id. Nothing is left of it when this fails.</summary>
    internal async Task<string> CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        var sandbox = context.State.GetSandbox(request.PodSandboxId);
        if (sandbox.State != PodSandboxState.SandboxReady)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"sandbox {sandbox.Id} is not ready"));
        }

        ContainerRequestRules.Check(request.Config, sandbox.Record.Users);
        var image = Find(request.Config.Image);
        CheckAppArmor(request.Config);
        var container = Reserve(sandbox, WithImageRefs(request.Config), image);
        try
        {
            await PrepareAsync(container, sandbox, image, cancellationToken);
        }
        catch
        {
            await remover.DiscardAsync(container);
            throw;
        }

        context.Publish(ContainerEventType.ContainerCreatedEvent, container.Id, sandbox.Id);
        return container.Id;
    }

    private LocalImage Find(ImageSpec image) =>
        context.Images.Find(image.Image) ?? throw new RpcException(new Status(StatusCode.NotFound, $"image {image.Image} is not on this node"));

    // A profile that is not loaded would fail the start only, and with a message that names no profile.
    private void CheckAppArmor(ContainerConfig config)
    {
        _ = AppArmorProfiles.Choose(config.Linux?.SecurityContext, context.Host.HasAppArmor, context.Host.DefaultAppArmorProfile);
        if (AppArmorProfiles.OfNode(config.Linux?.SecurityContext) is { } name
            && !AppArmorProfiles.Loaded(MachineLimits.AppArmorProfiles()).Contains(name))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"apparmor profile not found {name}"));
        }
    }

    // The status of a mounted image tells which one it is, whatever its name means later.
    private ContainerConfig WithImageRefs(ContainerConfig config)
    {
        var copy = config.Clone();
        foreach (var mount in copy.Mounts.Where(mount => mount.Image is not null))
        {
            mount.Image.ImageRef = Find(mount.Image).Id;
        }

        return copy;
    }

    private State.Container Reserve(Sandbox sandbox, ContainerConfig config, LocalImage image)
    {
        var id = RandomNumberGenerator.GetHexString(64, lowercase: true);
        var pid = config.Linux?.SecurityContext?.NamespaceOptions?.Pid ?? NamespaceMode.Pod;
        var container = new State.Container(new ContainerRecord
        {
            Id = id,
            SandboxId = sandbox.Id,
            ConfigBytes = SandboxRecord.Pack(config),
            RuntimePath = context.Handlers.Get(sandbox.Record.RuntimeHandler).Program,
            CgroupPath = $"{sandbox.Record.CgroupParent}/{id}",
            LogPath = LogPath(sandbox, config),
            ImageId = image.Id,
            ImageRef = image.RepoDigests.FirstOrDefault() ?? image.Id,
            StopSignal = Signals.StopSignal(config.StopSignal, image.Config.StopSignal),
            OwnPidNamespace = pid == NamespaceMode.Container,
            ImageMountKeys = [.. config.Mounts.Where(mount => mount.Image is not null).Select((_, index) => $"{id}-image-{index}")],
            CreatedAt = context.Now,
        });
        lock (_names)
        {
            if (context.State.ContainersOf(sandbox.Id).FirstOrDefault(other => other.Record.Config.Metadata.Equals(config.Metadata)) is { } twin)
            {
                throw new RpcException(new Status(StatusCode.AlreadyExists, $"attempt {config.Metadata.Attempt} of container {config.Metadata.Name} is {twin.Id}"));
            }

            context.State.Add(container);
        }

        return container;
    }

    private static string? LogPath(Sandbox sandbox, ContainerConfig config)
    {
        var directory = sandbox.Record.Config.LogDirectory;
        return directory.Length == 0 || config.LogPath.Length == 0 ? null : Path.GetFullPath(Path.Combine(directory, config.LogPath));
    }

    private async Task PrepareAsync(State.Container container, Sandbox sandbox, LocalImage image, CancellationToken cancellationToken)
    {
        var (record, config) = (container.Record, container.Record.Config);
        var trace = new StepTrace(logger, record.Id);
        var users = sandbox.Record.Users is null ? null : launcher.UserNamespace(sandbox.Id);
        var rootfs = await context.Rootfs.PrepareRootfsAsync(record.Id, image.Id, users, cancellationToken);
        trace.Step("root file system");
        var imageMounts = await MountImagesAsync(record, users, cancellationToken);
        CreateMissingSources(config);
        var mapped = users is null ? [] : ShowMapped(record, users);
        if (record.LogPath is { } log)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        }

        var user = UserResolver.Read(rootfs.Path).Resolve(config.Linux?.SecurityContext, image.Config.User);
        var spec = SpecBuilder.Build(new SpecInput
        {
            ContainerId = record.Id,
            SandboxId = sandbox.Id,
            Config = config,
            Sandbox = WithHostname(sandbox.Record),
            Image = image.Config,
            RootfsPath = users is null ? rootfs.Path : context.MappedMounts.ShowRoot(record.Id, rootfs.Path),
            User = user,
            Host = context.Host,
            CgroupPath = record.CgroupPath,
            Namespaces = launcher.Paths(sandbox.Record) with { Pid = PidNamespace(sandbox, config) },
            SandboxFiles = files.For(sandbox.Record),
            ImageMounts = imageMounts,
            Users = sandbox.Record.Users,
            MappedMounts = mapped,
            LocalSeccompProfile = ReadSeccompProfile(config),
        });
        Directory.CreateDirectory(context.Paths.Bundle(record.Id));
        await File.WriteAllTextAsync(Path.Combine(context.Paths.Bundle(record.Id), "config.json"), spec.ToJsonString(), cancellationToken);
        trace.Step("configuration");
        context.State.Save(container, record with { Phase = ContainerPhase.Created, Uid = user.Uid, Gid = user.Gid, Groups = user.Groups });
    }

    // HOSTNAME in a container is the node's name on the host's network.
    private static PodSandboxConfig WithHostname(SandboxRecord record)
    {
        var config = record.Config.Clone();
        config.Hostname = SandboxFiles.Hostname(record);
        return config;
    }

    private async Task<Dictionary<string, string>> MountImagesAsync(ContainerRecord record, string? users, CancellationToken cancellationToken)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (mount, key) in record.Config.Mounts.Where(mount => mount.Image is not null).Zip(record.ImageMountKeys))
        {
            var image = Find(mount.Image);
            var root = await context.Rootfs.MountImageAsync(key, image.Id, UserMapping.Of(mount) is null ? null : users, cancellationToken);
            sources[mount.ContainerPath] = mount.ImageSubPath.Length == 0
                ? root.Path
                : RootedFile.Resolve(root.Path, mount.ImageSubPath) is { } inside && Directory.Exists(inside) ? inside
                : throw new RpcException(new Status(StatusCode.InvalidArgument, $"image {mount.Image.Image} has no directory {mount.ImageSubPath}"));
        }

        return sources;
    }

    // Images are mounted with their owners mapped already.
    private Dictionary<string, string> ShowMapped(ContainerRecord record, string userNamespace)
    {
        var shown = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (mount, index) in record.Config.Mounts.Select((mount, index) => (mount, index)).Where(entry => entry.mount.Image is null && UserMapping.Of(entry.mount) is not null))
        {
            try
            {
                shown[mount.ContainerPath] = context.MappedMounts.ShowMapped(record.Id, index, mount.HostPath, userNamespace);
            }
            catch (LinuxException failure)
            {
                throw new RpcException(new Status(
                    StatusCode.FailedPrecondition, $"mount {mount.ContainerPath}: failed to set MOUNT_ATTR_IDMAP on {mount.HostPath}: {failure.Message} (maybe the filesystem used doesn't support idmap mounts on this kernel?)"));
            }
        }

        return shown;
    }

    // As containerd and CRI-O do for a host path that is not there.
    private static void CreateMissingSources(ContainerConfig config)
    {
        foreach (var path in config.Mounts.Where(mount => mount.Image is null).Select(mount => mount.HostPath))
        {
            if (path.Length > 0 && !Path.Exists(path))
            {
                Directory.CreateDirectory(path);
            }
        }
    }

    // Empty: a new one. Null: the host's.
    private string? PidNamespace(Sandbox sandbox, ContainerConfig config)
    {
        var options = config.Linux?.SecurityContext?.NamespaceOptions ?? new NamespaceOption();
        return options.Pid switch
        {
            NamespaceMode.Node => null,
            NamespaceMode.Container => string.Empty,
            NamespaceMode.Target => $"/proc/{TargetPid(sandbox, options.TargetId)}/ns/pid",
            // A sandbox without a shared PID namespace has none to join.
            _ => sandbox.Record.Namespaces.Pid == NamespaceMode.Pod ? $"/proc/{sandbox.Record.InfraPid}/ns/pid" : string.Empty,
        };
    }

    private int TargetPid(Sandbox sandbox, string targetId)
    {
        var target = context.State.GetContainer(targetId);
        return target.Record.SandboxId == sandbox.Id && target.State == ContainerState.ContainerRunning
            ? target.Record.Pid
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"target container {targetId} does not run in this sandbox"));
    }

    private string? ReadSeccompProfile(ContainerConfig config)
    {
        var profile = config.Linux?.SecurityContext?.Seccomp;
        if (profile?.ProfileType != SecurityProfile.Types.ProfileType.Localhost)
        {
            return null;
        }

        var path = Path.Combine(context.Options.SeccompProfileRoot, profile.LocalhostRef);
        if (!File.Exists(path) || new FileInfo(path).Length > MaxProfileBytes)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"seccomp profile {path} does not exist or is too long"));
        }

        return File.ReadAllText(path);
    }
}
