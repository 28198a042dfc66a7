using System.Globalization;
using Podhost.Linux.Native;

namespace Podhost.Linux.Security;

/// <summary>A resource limit of setrlimit(2).</summary>
/// <param name="Soft">The limit in force.</param>
/// <param name="Hard">What the soft limit may be raised to.</param>
public readonly record struct ResourceLimit(ulong Soft, ulong Hard);

/// <summary>What this process may do to its own limits, seen once at start.</summary>
public static unsafe class MachineLimits
{
    private const int OpenFiles = 7;
    private const int SysResource = 24;

    /// <summary>The limit of open files of this process.</summary>
    public static ResourceLimit OpenFileLimit()
    {
        var limits = stackalloc ulong[2];
        LinuxException.ThrowIf(Libc.getrlimit(OpenFiles, limits) != 0, "read the limit of open files");
        return new ResourceLimit(limits[0], limits[1]);
    }

    /// <summary>This process has CAP_SYS_RESOURCE: it may raise hard limits and lower oom_score_adj.</summary>
    public static bool MayRaiseLimits() => HasCapability(SysResource);

    /// <summary>The oom_score_adj of this process: the lowest value it may give to others without CAP_SYS_RESOURCE.</summary>
    public static int OomScoreAdjust() =>
        int.Parse(File.ReadAllText("/proc/self/oom_score_adj").AsSpan().Trim(), CultureInfo.InvariantCulture);

    /// <summary>The capabilities of this process, as a mask of bits (capabilities(7)).</summary>
    public static ulong EffectiveCapabilities()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("CapEff:", StringComparison.Ordinal))
            {
                return ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    /// <summary>AppArmor is on.</summary>
    public static bool HasAppArmor() =>
        File.Exists("/sys/module/apparmor/parameters/enabled") &&
        File.ReadAllText("/sys/module/apparmor/parameters/enabled").StartsWith('Y') &&
        Directory.Exists("/sys/kernel/security/apparmor");

    /// <summary>The kernel's list of loaded AppArmor profiles; empty where there is none.</summary>
    public static string AppArmorProfiles()
    {
        const string List = "/sys/kernel/security/apparmor/profiles";
        return File.Exists(List) ? File.ReadAllText(List) : string.Empty;
    }

    private static bool HasCapability(int number) => (EffectiveCapabilities() & (1UL << number)) != 0;
}
