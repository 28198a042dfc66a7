using Podhost.Linux.Cgroups;

namespace Podhost.Linux.Tests.Cgroups;

public class CgroupFormulasTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(102, 4)]
    [InlineData(1024, 39)]
    [InlineData(262144, 10000)]
    [InlineData(999999, 10000)]
    public void Shares_become_the_weight_of_the_OCI_formula(ulong shares, ulong weight) =>
        Assert.Equal(weight, CgroupFormulas.WeightFromShares(shares));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(102, 17)]
    [InlineData(256, 35)]
    [InlineData(512, 59)]
    [InlineData(1024, 100)]
    [InlineData(2000, 170)]
    [InlineData(22000, 1204)]
    [InlineData(262144, 10000)]
    [InlineData(999999, 10000)]
    public void Newer_runtimes_bend_the_line_so_that_the_default_is_the_default(ulong shares, ulong weight) =>
        Assert.Equal(weight, CgroupFormulas.CurvedWeightFromShares(shares));

    [Theory]
    [InlineData(2000, 1024, 39, 77)]
    [InlineData(2000, 1024, 100, 170)]
    [InlineData(2000, 0, 100, 77)]
    [InlineData(2000, 2, 1, 77)]
    [InlineData(2000, 1024, 55, 77)]
    public void A_new_weight_is_made_as_the_present_one_was(ulong shares, ulong before, ulong weight, ulong expected) =>
        Assert.Equal(expected, CgroupFormulas.WeightLike(shares, before, weight));

    [Fact]
    public void A_given_weight_goes_before_the_shares() =>
        Assert.Equal(["cpu/cpu.weight=170"], CgroupFormulas.ForV2(new CgroupResources { CpuShares = 2000, CpuWeight = 170 }).Select(Show));

    [Fact]
    public void Memory_and_swap_together_are_never_below_memory_on_the_way()
    {
        var limits = new CgroupResources { MemoryLimit = 4096, MemorySwapLimit = 8192 };
        Assert.Equal(["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"], CgroupFormulas.ForV1(limits).Select(s => s.File));
        Assert.Equal(["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"], CgroupFormulas.ForV1(limits, swapGrows: true).Select(s => s.File));
    }

    [Fact]
    public void Limits_are_written_in_the_words_of_v1()
    {
        var settings = CgroupFormulas.ForV1(Limits);
        Assert.Equal(
            [
                "cpu/cpu.shares=102", "cpu/cpu.cfs_period_us=100000", "cpu/cpu.cfs_quota_us=50000", "cpuset/cpuset.cpus=0-1",
                "memory/memory.limit_in_bytes=1000000000", "memory/memory.memsw.limit_in_bytes=1500000000", "pids/pids.max=max",
                "hugetlb/hugetlb.2MB.limit_in_bytes=4194304",
            ],
            settings.Select(Show));
    }

    [Fact]
    public void Limits_are_written_in_the_words_of_v2()
    {
        var settings = CgroupFormulas.ForV2(Limits with { Unified = new Dictionary<string, string> { ["memory.high"] = "9" } });
        Assert.Equal(
            [
                "cpu/cpu.weight=4", "cpu/cpu.max=50000 100000", "cpuset/cpuset.cpus=0-1", "memory/memory.max=1000000000",
                "memory/memory.swap.max=500000000", "pids/pids.max=max", "hugetlb/hugetlb.2MB.max=4194304", "memory/memory.high=9",
            ],
            settings.Select(Show));
    }

    [Fact]
    public void No_quota_is_max() =>
        Assert.Equal(["cpu/cpu.max=max 100000"], CgroupFormulas.ForV2(new CgroupResources { CpuQuota = -1 }).Select(Show));

    [Theory]
    [InlineData("../memory.max")]
    [InlineData("nodot")]
    public void A_unified_key_names_a_cgroup_file_only(string key) =>
        Assert.Throws<ArgumentException>(() => CgroupFormulas.ForV2(new CgroupResources { Unified = new Dictionary<string, string> { [key] = "1" } }));

    [Fact]
    public void Swap_without_a_memory_limit_is_refused() =>
        Assert.Throws<ArgumentException>(() => CgroupFormulas.ForV2(new CgroupResources { MemorySwapLimit = 5 }));

    private static CgroupResources Limits => new()
    {
        CpuShares = 102,
        CpuPeriod = 100_000,
        CpuQuota = 50_000,
        CpusetCpus = "0-1",
        MemoryLimit = 1_000_000_000,
        MemorySwapLimit = 1_500_000_000,
        PidsLimit = -1,
        HugepageLimits = new Dictionary<string, ulong> { ["2MB"] = 4194304 },
    };

    private static string Show(CgroupSetting setting) => $"{setting.Controller}/{setting.File}={setting.Value}";
}
