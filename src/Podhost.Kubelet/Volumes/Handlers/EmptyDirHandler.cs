using k8s.Models;
using Podhost.Kubelet.Resources;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>emptyDir, on the disk, in memory or in huge pages. It outlives containers and goes with the pod.</summary>
internal sealed class EmptyDirHandler(TmpfsMounts tmpfs, Func<NodeResources> node) : IVolumeHandler
{
    private const int EveryoneMode = 0x1ff; // 0777
    private const string HugePagesMedium = "HugePages";
    private const int UnfinishedMode = 0x1c0; // 0700

    public bool IsReadOnly => false;

    public bool Follows => false;

    public bool Handles(V1Volume volume) => volume.EmptyDir is not null;

    public Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken)
    {
        var source = context.Volume.EmptyDir;
        var inMemory = source.Medium == "Memory";
        var mode = source.Mode ?? (inMemory ? TmpfsMounts.EveryoneMode : EveryoneMode);
        if (inMemory)
        {
            tmpfs.Ensure(context.Path, UnfinishedMode, MemorySize(context.Pod, source, node()));
        }
        else if (IsHugePages(source.Medium))
        {
            tmpfs.EnsureHugePages(context.Path, UnfinishedMode, PageSize(context.Pod, source.Medium));
        }
        else if (!Directory.Exists(context.Path))
        {
            Directory.CreateDirectory(context.Path);
            PathOwnership.SetMode(context.Path, UnfinishedMode);
        }

        // With its final mode it belongs to the containers; nothing is changed under them.
        if (PathStatus.Read(context.Path) is { Mode: UnfinishedMode })
        {
            Finish(context, mode);
        }

        return Task.FromResult<DateTimeOffset?>(null);
    }

    /// <summary>True for <c>HugePages</c> and <c>HugePages-2Mi</c>.</summary>
    internal static bool IsHugePages(string? medium) => medium is HugePagesMedium || medium?.StartsWith(HugePagesMedium + "-", StringComparison.Ordinal) == true;

    /// <summary>The page size of a volume in huge pages: the medium's, or the only one that the pod asks for. Either must be asked for.</summary>
    /// <exception cref="VolumeSetUpException">It is not.</exception>
    internal static long PageSize(V1Pod pod, string medium)
    {
        var asked = (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).SelectMany(c => c.Resources?.Requests?.Keys ?? [])
            .Concat(pod.Spec.Resources?.Requests?.Keys ?? [])
            .Where(ResourceNames.IsHugePages)
            .Select(name => Quantities.TryParse(name[ResourceNames.HugePagesPrefix.Length..]) ?? 0)
            .Distinct().ToList();
        if (medium == HugePagesMedium)
        {
            return asked.Count switch
            {
                1 => Quantities.Value(asked[0]),
                0 => throw new VolumeSetUpException("hugePages storage requested, but there is no resource request for huge pages"),
                _ => throw new VolumeSetUpException($"medium: {medium} can't be used if container requests multiple huge page sizes"),
            };
        }

        return Quantities.TryParse(medium[(HugePagesMedium.Length + 1)..]) is { } size && asked.Contains(size)
            ? Quantities.Value(size)
            : throw new VolumeSetUpException($"medium {medium}: hugePages storage requested, but there is no resource request for huge pages of this size");
    }

    /// <summary>The least of what the volume, the pod's memory limit and the node allow.</summary>
    internal static long? MemorySize(V1Pod pod, V1EmptyDirVolumeSource source, NodeResources node)
    {
        var size = Quantities.Value(node.AllocatableOf(ResourceNames.Memory));
        if (PodResources.AllDeclareLimit(pod.Spec, ResourceNames.Memory))
        {
            size = Least(size, Quantities.Value(PodResources.Limits(pod).Get(ResourceNames.Memory)));
        }

        size = Least(size, source.SizeLimit is null ? 0 : Quantities.Value(source.SizeLimit.ToDecimal()));
        return size > 0 ? size : null;
    }

    private static long Least(long size, long other) => other <= 0 ? size : size <= 0 ? other : Math.Min(size, other);

    /// <summary>Group first, the final mode last: a crash in between is seen by the mode.</summary>
    private static void Finish(VolumeContext context, int mode)
    {
        if (context.FsGroup is { } group)
        {
            PathOwnership.SetOwner(context.Path, PathOwnership.Keep, (uint)group);
            mode = VolumeOwnership.ModeOf(mode, isDirectory: true, readOnly: false);
        }

        PathOwnership.SetMode(context.Path, mode);
    }
}
