namespace Podhost.Kubelet.Resources;

/// <summary>From millicores to what the cpu controller takes.</summary>
internal static class CpuMath
{
    public const long MinShares = 2;
    public const long MaxShares = 262144;
    public const long DefaultPeriodMicroseconds = 100_000;

    /// <summary>The kernel refuses a quota below 1 ms.</summary>
    public const long MinQuotaMicroseconds = 1000;

    private const long SharesPerCore = 1024;

    /// <summary>cpu.shares: 1024 a core, at least 2.</summary>
    public static long Shares(long milliCpu) =>
        milliCpu <= 0 ? MinShares : Math.Clamp((long)Int128.Min((Int128)milliCpu * SharesPerCore / 1000, MaxShares), MinShares, MaxShares);

    /// <summary>CFS quota a period, in microseconds; 0 is no limit.</summary>
    public static long Quota(long milliCpu, long periodMicroseconds = DefaultPeriodMicroseconds) =>
        milliCpu <= 0 ? 0 : Math.Max((long)Int128.Min((Int128)milliCpu * periodMicroseconds / 1000, long.MaxValue), MinQuotaMicroseconds);
}
