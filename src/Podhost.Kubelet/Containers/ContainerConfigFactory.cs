using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers.Environment;
using Podhost.Kubelet.Containers.Files;
using Podhost.Kubelet.Containers.Sandbox;
using Podhost.Kubelet.Containers.Security;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;
using Podhost.Kubelet.UserNamespaces;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Containers;

/// <summary>The parts that configurations are made from, besides the pod.</summary>
public sealed record ContainerConfigDependencies
{
    /// <summary>ConfigMaps, secrets and services.</summary>
    public required IObjectSource Objects { get; init; }

    /// <summary>Mounts of a container.</summary>
    public required IVolumeManager Volumes { get; init; }

    /// <summary>Warnings about DNS and variable names.</summary>
    public required IEventRecorder Events { get; init; }

    /// <summary>What the node has now.</summary>
    public required Func<NodeResources> Node { get; init; }

    /// <summary>The users of pods with hostUsers false.</summary>
    public required PodUsers Users { get; init; }

    /// <summary>IPs of the node, primary first.</summary>
    public required Func<IReadOnlyList<string>> HostIPs { get; init; }
}

/// <summary>Assembles configurations from the pure pieces of this folder and writes the small files that containers mount.</summary>
public sealed class ContainerConfigFactory(ContainerConfigOptions options, ContainerConfigDependencies dependencies) : IContainerConfigFactory
{
    private readonly PodFiles _files = new(options);
    private readonly VolumeFileReader _volumeFiles = new(new PodPaths(options.RootDirectory));

    /// <inheritdoc/>
    public async Task<PodSandboxConfig> CreateSandboxConfigAsync(V1Pod pod, uint attempt, CancellationToken cancellationToken)
    {
        var resolvConf = await ReadResolvConfAsync(cancellationToken).ConfigureAwait(false);
        var (config, warnings) = SandboxConfigBuilder.Build(pod, attempt, resolvConf, options, await UsersAsync(pod, cancellationToken).ConfigureAwait(false));
        foreach (var (reason, message) in warnings)
        {
            dependencies.Events.Record(PodReferences.Of(pod), "Warning", reason, message);
        }

        Directory.CreateDirectory(config.LogDirectory);
        return config;
    }

    /// <inheritdoc/>
    public async Task<ContainerConfig> CreateContainerConfigAsync(ContainerConfigRequest request, CancellationToken cancellationToken)
    {
        var hostname = PodHostname.Of(request.Pod, options.ClusterDomain);
        var environment = await new EnvironmentBuilder(Inputs(request), request.Container).BuildAsync(cancellationToken).ConfigureAwait(false);
        Warn(request, environment);
        var node = dependencies.Node();
        var users = await UsersAsync(request.Pod, cancellationToken).ConfigureAwait(false);
        var config = ContainerConfigBuilder.Build(request, environment, HostnameVariable(request), node, options, users);
        try
        {
            config.Mounts.AddRange(await dependencies.Volumes
                .ResolveMountsAsync(request.Pod, request.Container, environment.ByName, request.Mounts, cancellationToken).ConfigureAwait(false));
            config.Devices.AddRange(dependencies.Volumes.ResolveDevices(request.Pod, request.Container));
            await AddFilesAsync(config, request, hostname, cancellationToken).ConfigureAwait(false);
            MapOwners(config, users);
        }
        catch (Exception e) when (e is VolumeException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ContainerConfigException(ContainerConfigReasons.CreateContainerConfigError, e.Message);
        }

        return config;
    }

    private async Task AddFilesAsync(ContainerConfig config, ContainerConfigRequest request, PodHostname hostname, CancellationToken cancellationToken)
    {
        var (pod, container) = (request.Pod, request.Container);
        var managed = request.PodIPs.Count > 0 || pod.Spec.HostNetwork == true;
        if (managed && container.VolumeMounts?.Any(m => m.MountPath == HostsFile.MountPath) != true)
        {
            var path = await _files.WriteHostsAsync(pod, request.PodIPs, hostname, cancellationToken).ConfigureAwait(false);
            config.Mounts.Add(new Mount { ContainerPath = HostsFile.MountPath, HostPath = path });
        }

        if (!string.IsNullOrEmpty(container.TerminationMessagePath))
        {
            var path = _files.CreateTerminationLog(pod, container.Name, request.Attempt);
            config.Mounts.Add(new Mount { ContainerPath = container.TerminationMessagePath, HostPath = path });
        }

        _files.CreateLogDirectory(pod, container.Name);
    }

    private async Task<UserRange?> UsersAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        if (pod.Spec.HostUsers != false)
        {
            return null;
        }

        try
        {
            return await dependencies.Users.GetOrCreateAsync(pod.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new ContainerConfigException(ContainerConfigReasons.CreatePodSandboxError, $"create user namespace: {e.Message}");
        }
    }

    // Files of volumes belong to the pod's users of the same number, whatever users of the machine these are (upstream: all mounts).
    private static void MapOwners(ContainerConfig config, UserRange? users)
    {
        if (users is { } range)
        {
            foreach (var mount in config.Mounts)
            {
                mount.UidMappings.Add(NamespaceOptions.Mapping(range));
                mount.GidMappings.Add(NamespaceOptions.Mapping(range));
            }
        }
    }

    private EnvironmentInputs Inputs(ContainerConfigRequest request) => new()
    {
        Pod = request.Pod,
        PodIPs = request.PodIPs,
        HostIPs = dependencies.HostIPs(),
        Node = dependencies.Node(),
        Objects = dependencies.Objects,
        ReadVolumeFile = (volume, path) => _volumeFiles.Read(request.Pod, volume, path, EnvFile.MaxBytes),
    };

    private void Warn(ContainerConfigRequest request, ContainerEnvironment environment)
    {
        foreach (var invalid in environment.Invalid)
        {
            dependencies.Events.Record(
                PodReferences.Of(request.Pod), "Warning", "InvalidEnvironmentVariableNames",
                $"Keys [{string.Join(", ", invalid.Keys)}] from the EnvFrom {invalid.Source} were skipped since they are considered invalid environment variable names.");
        }
    }

    private string HostnameVariable(ContainerConfigRequest request) =>
        request.Sandbox.Hostname.Length > 0 ? request.Sandbox.Hostname : options.NodeHostname;

    private async Task<ResolvConf?> ReadResolvConfAsync(CancellationToken cancellationToken)
    {
        if (options.ResolvConf.Length == 0)
        {
            return null;
        }

        try
        {
            var file = new FileInfo(options.ResolvConf);
            return file.Length > ResolvConf.MaxBytes
                ? throw new FormatException($"{options.ResolvConf} is larger than {ResolvConf.MaxBytes} bytes")
                : ResolvConf.Parse(await File.ReadAllTextAsync(options.ResolvConf, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ContainerConfigException(ContainerConfigReasons.CreatePodSandboxError, $"read {options.ResolvConf}: {e.Message}");
        }
    }
}
