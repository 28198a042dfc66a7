namespace Podhost.Kubelet.Images;

/// <summary>Which images go, when the disk is full or they are old. Pure. Source: upstream's image garbage collection.</summary>
internal static class ImageGarbageRules
{
    /// <summary>An image that a pod was given is about to be used, although no container has it yet.</summary>
    private static readonly TimeSpan GrantHolds = TimeSpan.FromMinutes(1);

    /// <summary>How many bytes must be freed to come down to the low threshold; 0 below the high one.</summary>
    /// <param name="options">Thresholds; a high one of 100 switches this off.</param>
    /// <param name="disk">The images' file system; its capacity is not 0.</param>
    public static long ToFree(ImageGarbageOptions options, DiskSpace disk)
    {
        if (options.HighThresholdPercent >= 100)
        {
            return 0;
        }

        var available = Math.Min(disk.Available, disk.Capacity);
        var usedPercent = 100 - (int)((Int128)available * 100 / disk.Capacity);
        return usedPercent < options.HighThresholdPercent
            ? 0
            : Math.Max(0, (long)((Int128)disk.Capacity * (100 - options.LowThresholdPercent) / 100) - available);
    }

    /// <summary>Images that nobody used for longer than imageMaximumGCAge, in the order in which they go.</summary>
    public static IEnumerable<KnownImage> TooOld(ImageGarbageOptions options, IEnumerable<KnownImage> images, DateTimeOffset now) =>
        options.MaximumAge <= TimeSpan.Zero ? [] : Removable(options, images, now).Where(i => now - (i.LastUsed > i.FirstDetected ? i.LastUsed : i.FirstDetected) > options.MaximumAge);

    /// <summary>Images that may go now, those unused the longest first.</summary>
    public static IEnumerable<KnownImage> Removable(ImageGarbageOptions options, IEnumerable<KnownImage> images, DateTimeOffset now) => images
        .Where(i => !i.InUse && !i.Pinned && now - i.FirstDetected >= options.MinimumAge && (i.GrantedAt is not { } at || now - at >= GrantHolds))
        .OrderBy(i => i.LastUsed).ThenBy(i => i.FirstDetected).ThenBy(i => i.Id, StringComparer.Ordinal);
}

/// <summary>What is known of an image on the node.</summary>
/// <param name="Id">The runtime's ID.</param>
/// <param name="Size">Bytes.</param>
/// <param name="FirstDetected">When this kubelet saw it first; the beginning of time for what was there at its start.</param>
/// <param name="LastUsed">When a container had it last.</param>
internal sealed record KnownImage(string Id, long Size, DateTimeOffset FirstDetected, DateTimeOffset LastUsed)
{
    /// <summary>True where a container, dead ones included, has it.</summary>
    public bool InUse { get; init; }

    /// <summary>True where the runtime says that it must stay, or it is the infra container's.</summary>
    public bool Pinned { get; init; }

    /// <summary>When it was given to a pod last.</summary>
    public DateTimeOffset? GrantedAt { get; init; }
}

/// <summary>A file system.</summary>
/// <param name="Capacity">Bytes in all.</param>
/// <param name="Available">Bytes that are free for everybody.</param>
internal readonly record struct DiskSpace(long Capacity, long Available);

/// <summary>When images go; names and defaults are KubeletConfiguration's.</summary>
public sealed record ImageGarbageOptions
{
    /// <summary>imageGCHighThresholdPercent: from which use of the disk images go; 100: never.</summary>
    public int HighThresholdPercent { get; init; } = 85;

    /// <summary>imageGCLowThresholdPercent: down to which use they go.</summary>
    public int LowThresholdPercent { get; init; } = 80;

    /// <summary>imageMinimumGCAge: what is known for less stays.</summary>
    public TimeSpan MinimumAge { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>imageMaximumGCAge: what nobody used for longer goes however empty the disk is; zero: never.</summary>
    public TimeSpan MaximumAge { get; init; }

    /// <summary>How often the disk is looked at although no image was pulled; upstream's ImageGCPeriod.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromMinutes(5);
}
