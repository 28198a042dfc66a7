using System.Globalization;

namespace Podhost.Linux.Cgroups;

/// <summary>
/// Which files get which text. Pure. The conversions to v2 are those of the OCI runtime specification's config-linux, which the
/// runtimes follow for containers, so that a pod's cgroup and its containers' agree.
/// </summary>
public static class CgroupFormulas
{
    private const ulong MinShares = 2;
    private const ulong MaxShares = 262144;
    private const ulong DefaultPeriod = 100_000;

    /// <summary>CPU shares of v1 as the weight of v2: 2..262144 to 1..10000.</summary>
    /// <param name="shares">The shares; out-of-range values are clamped.</param>
    public static ulong WeightFromShares(ulong shares) =>
        1 + ((Math.Clamp(shares, MinShares, MaxShares) - MinShares) * 9999 / (MaxShares - MinShares));

    /// <summary>
    /// The weight as runc since 1.3.2 and crun since 1.23 make it: a curve through 2, 1 and 1024, 100 and 262144, 10000
    /// (https://github.com/opencontainers/runc/pull/4785). Kubernetes' kubelet keeps the straight line for the pods' own cgroups.
    /// </summary>
    /// <param name="shares">The shares; out-of-range values are clamped.</param>
    public static ulong CurvedWeightFromShares(ulong shares)
    {
        if (shares <= MinShares)
        {
            return 1;
        }

        var log = Math.Log2(Math.Min(shares, MaxShares));
        return Math.Min(10_000, (ulong)Math.Ceiling(Math.Pow(10, (((log * log) + (125 * log)) / 612) - (7.0 / 34))));
    }

    /// <summary>
    /// The weight for new shares in the way in which the OCI runtime made the present one: beside its siblings a container must be weighed
    /// with their measure.
    /// </summary>
    /// <param name="shares">The new shares.</param>
    /// <param name="presentShares">The shares that the container was made with; 0 when it had none.</param>
    /// <param name="presentWeight">Its weight.</param>
    public static ulong WeightLike(ulong shares, ulong presentShares, ulong presentWeight) =>
        presentShares > 0 && presentWeight == CurvedWeightFromShares(presentShares) && presentWeight != WeightFromShares(presentShares)
            ? CurvedWeightFromShares(shares)
            : WeightFromShares(shares);

    /// <summary>The swap limit of v2, which does not count memory; null leaves it.</summary>
    /// <param name="memory">The memory limit in bytes; -1 for none.</param>
    /// <param name="memoryAndSwap">Both together in bytes; -1 for no limit.</param>
    public static string? SwapMax(long? memory, long? memoryAndSwap) => memoryAndSwap switch
    {
        null or 0 => null,
        -1 => "max",
        _ when memory is > 0 && memoryAndSwap >= memory => Text(memoryAndSwap.Value - memory.Value),
        _ => throw new ArgumentException($"a memory+swap limit of {memoryAndSwap} needs a memory limit that is not above it ({memory})"),
    };

    /// <summary>The settings on v1 hierarchies, in the order in which they can be written.</summary>
    /// <param name="resources">What is wanted.</param>
    /// <param name="swapGrows">The limit of memory and swap together becomes greater: it is never below that of memory, so it comes first then, and last otherwise.</param>
    public static IReadOnlyList<CgroupSetting> ForV1(CgroupResources resources, bool swapGrows = false)
    {
        ArgumentNullException.ThrowIfNull(resources);
        var settings = new SettingList();
        settings.Add("cpu", "cpu.shares", resources.CpuShares is { } shares ? Text(Math.Clamp(shares, MinShares, MaxShares)) : null);
        settings.Add("cpu", "cpu.cfs_period_us", Text(resources.CpuPeriod));
        settings.Add("cpu", "cpu.cfs_quota_us", Text(resources.CpuQuota));
        settings.Add("cpuset", "cpuset.cpus", resources.CpusetCpus);
        settings.Add("cpuset", "cpuset.mems", resources.CpusetMems);
        settings.Add("memory", "memory.memsw.limit_in_bytes", swapGrows ? Text(resources.MemorySwapLimit) : null);
        settings.Add("memory", "memory.limit_in_bytes", Text(resources.MemoryLimit));
        settings.Add("memory", "memory.memsw.limit_in_bytes", swapGrows ? null : Text(resources.MemorySwapLimit));
        settings.Add("pids", "pids.max", Limit(resources.PidsLimit));
        foreach (var (size, bytes) in resources.HugepageLimits.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            settings.Add("hugetlb", $"hugetlb.{size}.limit_in_bytes", Text(bytes));
        }

        return settings.Items;
    }

    /// <summary>The settings on the v2 hierarchy.</summary>
    /// <param name="resources">What is wanted.</param>
    public static IReadOnlyList<CgroupSetting> ForV2(CgroupResources resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        var settings = new SettingList();
        settings.Add("cpu", "cpu.weight", Text(resources.CpuWeight ?? (resources.CpuShares is { } shares ? WeightFromShares(shares) : null)));
        settings.Add("cpu", "cpu.max", CpuMax(resources.CpuQuota, resources.CpuPeriod));
        settings.Add("cpuset", "cpuset.cpus", resources.CpusetCpus);
        settings.Add("cpuset", "cpuset.mems", resources.CpusetMems);
        settings.Add("memory", "memory.max", Limit(resources.MemoryLimit));
        settings.Add("memory", "memory.swap.max", SwapMax(resources.MemoryLimit, resources.MemorySwapLimit));
        settings.Add("pids", "pids.max", Limit(resources.PidsLimit));
        foreach (var (size, bytes) in resources.HugepageLimits.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            settings.Add("hugetlb", $"hugetlb.{size}.max", Text(bytes));
        }

        foreach (var (file, value) in resources.Unified.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            settings.Add(Controller(file), file, value);
        }

        return settings.Items;
    }

    // A key of the unified map comes from outside: it names a file of the cgroup and nothing else.
    private static string Controller(string file)
    {
        var dot = file.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && !file.Contains('/', StringComparison.Ordinal)
            ? file[..dot]
            : throw new ArgumentException($"unified: {file} is not a cgroup file");
    }

    private static string? CpuMax(long? quota, ulong? period) => (quota, period) switch
    {
        (null, null) => null,
        (null, { } only) => $"max {Text(only)}",
        ( <= 0, _) => $"max {Text(period ?? DefaultPeriod)}",
        _ => $"{Text(quota!.Value)} {Text(period ?? DefaultPeriod)}",
    };

    private static string? Limit(long? value) => value switch
    {
        null => null,
        < 0 => "max",
        _ => Text(value.Value),
    };

    private static string? Text(long? value) => value is { } number ? Text(number) : null;

    private static string? Text(ulong? value) => value is { } number ? Text(number) : null;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed class SettingList
    {
        internal List<CgroupSetting> Items { get; } = [];

        internal void Add(string controller, string file, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                Items.Add(new CgroupSetting(controller, file, value));
            }
        }
    }
}
