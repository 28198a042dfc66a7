using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;
using Podhost.Kubelet.Volumes.Handlers;
using Podhost.Kubelet.Volumes.Payloads;
using Podhost.Linux.Mounts;

namespace Podhost.Kubelet.Volumes;

/// <summary>
/// The volumes of all pods. Mounted volumes follow their objects: <see cref="RunAsync"/> must run for that; mounting and unmounting do
/// not need it.
/// </summary>
public sealed class VolumeManager : IVolumeManager
{
    private const UnixFileMode PodDirectoryMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    private readonly ConcurrentDictionary<string, PodVolumeSet> _pods = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<IVolumeHandler> _handlers;
    private readonly ServiceAccountTokens _tokens;
    private readonly PodPaths _paths;
    private readonly MountResolver _resolver;
    private readonly PodDirectories _directories;
    private readonly VolumeUpdates _updates;
    private readonly IObjectSource _objects;

    /// <summary>Builds the manager.</summary>
    /// <param name="options">The node's options.</param>
    /// <param name="objects">ConfigMaps, secrets and tokens.</param>
    /// <param name="node">What the node has now.</param>
    /// <param name="mounter">System calls.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Failed updates.</param>
    public VolumeManager(
        VolumeManagerOptions options, IObjectSource objects, Func<NodeResources> node, IMounter mounter, TimeProvider time, ILogger<VolumeManager> logger)
    {
        _objects = objects;
        _paths = new PodPaths(options.RootDirectory);
        _tokens = new ServiceAccountTokens(objects, time);
        var tmpfs = new TmpfsMounts(mounter);
        _handlers =
        [
            new EmptyDirHandler(tmpfs, node),
            new PayloadHandler(new PayloadSources(objects, _tokens, node), tmpfs, time),
            new HostPathHandler(),
            new ClaimHandler(objects, mounter, _paths),
            new ImageHandler(),
        ];
        _resolver = new MountResolver(_paths, new SubPathBinder(_paths, mounter), _handlers, logger);
        _directories = new PodDirectories(_paths, mounter);
        _updates = new VolumeUpdates(UpdateAsync, options.UpdateBackOff, time, logger);
    }

    /// <summary>Keeps mounted volumes up to date until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        void OnChanged(IReadOnlyCollection<string> podUids) => _updates.Request(podUids.Where(_pods.ContainsKey));
        _objects.Changed += OnChanged;
        try
        {
            await _updates.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _objects.Changed -= OnChanged;
        }
    }

    /// <inheritdoc/>
    public async Task MountAsync(V1Pod pod, IReadOnlyList<string> podIPs, CancellationToken cancellationToken)
    {
        while (true)
        {
            var set = _pods.GetOrAdd(pod.Metadata.Uid, _ => new PodVolumeSet());
            await set.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (set.Removed)
                {
                    continue;
                }

                Directory.CreateDirectory(_paths.Volumes(pod.Metadata.Uid), PodDirectoryMode);
                var renew = set.ChangesFiles(pod);
                set.Pod = pod;
                await SetUpAllAsync(set, pod, volume => renew || !set.Ready.ContainsKey(volume.Name), cancellationToken).ConfigureAwait(false);
                return;
            }
            finally
            {
                set.Gate.Release();
            }
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Mount>> ResolveMountsAsync(
        V1Pod pod, V1Container container, IReadOnlyDictionary<string, string> env, MountSupport runtime, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<Mount> mounts = [.. Enumerable.Range(0, container.VolumeMounts?.Count ?? 0).Select(i => _resolver.Resolve(new MountResolver.Container(pod, container, env, runtime), i))];
        return Task.FromResult(mounts);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Device> ResolveDevices(V1Pod pod, V1Container container) =>
        [.. (container.VolumeDevices ?? []).Select(device => ClaimHandler.DeviceOf(_paths, pod, device))];

    /// <inheritdoc/>
    public async Task UnmountAsync(string podUid, CancellationToken cancellationToken)
    {
        var set = _pods.GetOrAdd(podUid, _ => new PodVolumeSet());
        await set.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // What a container left behind may be large: not on the pod loop's thread.
            await Task.Run(() => _directories.Remove(podUid, cancellationToken), cancellationToken).ConfigureAwait(false);
            set.Removed = true;
            _pods.TryRemove(podUid, out _);
            _tokens.Remove(podUid);
        }
        finally
        {
            set.Gate.Release();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> PodsOnDisk() => _directories.List();

    /// <summary>Sets up the volumes that need it; every one is tried, the first failure is thrown.</summary>
    private async Task SetUpAllAsync(PodVolumeSet set, V1Pod pod, Func<V1Volume, bool> needs, CancellationToken cancellationToken)
    {
        VolumeException? failure = null;
        foreach (var volume in UsedVolumes.Of(pod.Spec).Where(needs))
        {
            try
            {
                set.Ready[volume.Name] = await SetUpAsync(pod, volume, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is VolumeSetUpException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                var step = (e as VolumeSetUpException)?.Step ?? VolumeSetUpException.SetUp;
                failure ??= new VolumeException(volume.Name, $"{step} for volume \"{volume.Name}\" : {e.Message}");
            }
        }

        Schedule(set, pod);
        if (failure is not null)
        {
            throw failure;
        }
    }

    private Task<DateTimeOffset?> SetUpAsync(V1Pod pod, V1Volume volume, CancellationToken cancellationToken)
    {
        var unsupported = UnsupportedVolumes.Find(volume).Select(u => u.Message).FirstOrDefault();
        var handler = _handlers.FirstOrDefault(h => h.Handles(volume));
        if (unsupported is not null || handler is null)
        {
            throw new VolumeSetUpException(unsupported ?? "the volume has no source that this node supports");
        }

        var path = VolumeLocation.Of(_paths, pod.Metadata.Uid, volume) ?? "";
        return handler.SetUpAsync(new VolumeContext(pod, volume, path), cancellationToken);
    }

    /// <summary>Writes what has changed in a pod's volumes; called by <see cref="VolumeUpdates"/>.</summary>
    private async Task UpdateAsync(string podUid, CancellationToken cancellationToken)
    {
        if (!_pods.TryGetValue(podUid, out var set))
        {
            return;
        }

        await set.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!set.Removed && set.Pod is { } pod)
            {
                await SetUpAllAsync(set, pod, volume => set.Ready.ContainsKey(volume.Name) && Follows(volume), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            set.Gate.Release();
        }
    }

    private bool Follows(V1Volume volume) => _handlers.Any(h => h.Follows && h.Handles(volume));

    private void Schedule(PodVolumeSet set, V1Pod pod)
    {
        if (set.Ready.Values.Min() is { } next)
        {
            _updates.Request(pod.Metadata.Uid, next);
        }
    }
}
