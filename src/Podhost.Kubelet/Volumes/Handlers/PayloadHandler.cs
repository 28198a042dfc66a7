using k8s.Models;
using Podhost.Kubelet.Volumes.Payloads;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>configMap, secret, downwardAPI and projected: files that the kubelet writes and keeps up to date. All but configMap are in memory only.</summary>
internal sealed class PayloadHandler(PayloadSources sources, TmpfsMounts tmpfs, TimeProvider time) : IVolumeHandler
{
    private const int EveryoneMode = 0x1ff; // 0777; the mounts are read-only

    public bool IsReadOnly => true;

    public bool Follows => true;

    public bool Handles(V1Volume volume) => volume is
        { ConfigMap: not null } or { Secret: not null } or { DownwardAPI: not null } or { Projected: not null };

    public async Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken)
    {
        try
        {
            // Before anything is made on disk: a missing object leaves nothing behind.
            var payload = await sources.ReadAsync(context, cancellationToken).ConfigureAwait(false);
            EnsureDirectory(context);
            new AtomicWriter(context.Path, time).Write(payload.Files, version => Own(context, version));
            return payload.RefreshAt;
        }
        catch (PayloadException e)
        {
            throw new VolumeSetUpException(e.Message);
        }
    }

    private void EnsureDirectory(VolumeContext context)
    {
        if (context.Volume.ConfigMap is null)
        {
            tmpfs.Ensure(context.Path, TmpfsMounts.EveryoneMode, sizeBytes: null);
        }
        else if (!Directory.Exists(context.Path))
        {
            Directory.CreateDirectory(context.Path);
            PathOwnership.SetMode(context.Path, EveryoneMode);
        }

        if (context.FsGroup is { } group)
        {
            VolumeOwnership.Apply(context.Path, group, readOnly: true);
        }
    }

    private static void Own(VolumeContext context, string version)
    {
        if (context.FsGroup is { } group)
        {
            VolumeOwnership.ApplyTree(version, group, readOnly: true);
        }
    }
}
