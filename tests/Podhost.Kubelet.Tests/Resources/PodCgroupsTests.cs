using System.Diagnostics;
using k8s.Models;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Tests.Support;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Tests.Resources;

/// <summary>The machine's own cgroups, below a root of the test's.</summary>
public sealed class PodCgroupsTests : IDisposable
{
    private readonly CgroupTree _tree = new(CgroupLayout.Detect());
    private readonly string _root = "/podhost-test-" + Environment.ProcessId;
    private readonly ResourceOptions _options;
    private readonly PodCgroups _cgroups;

    public PodCgroupsTests()
    {
        _options = new ResourceOptions { CgroupRoot = _root, PodPidsLimit = 100 }.For(_tree);
        _cgroups = new PodCgroups(_tree, _options, () => Objects.Node("2", "1Gi"), TimeProvider.System);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Environment.IsPrivilegedProcess)
        {
            _tree.Kill(_root + "/kubepods");
            _tree.TryRemove(_root);
        }
    }

    [RootFact]
    public async Task Pods_get_their_limits_and_the_burstable_class_the_sum_of_their_weights()
    {
        await _cgroups.EnsureRootAsync(Cancel);
        await _cgroups.EnsureAsync(Pod("u1", "{cpu: 100m}", "{cpu: 500m, memory: 64Mi}"), Cancel);
        await _cgroups.EnsureAsync(Pod("u2", "{cpu: 400m}", "{}"), Cancel);
        await _cgroups.EnsureAsync(Pod("u3", "{}", "{}"), Cancel);

        Assert.Equal(["u1", "u2", "u3"], _cgroups.PodsInCgroups().Order());
        Assert.Equal((1L << 30).ToString(), Memory($"{_root}/kubepods"));
        Assert.Equal((64L << 20).ToString(), Memory($"{_root}/kubepods/burstable/podu1"));
        if (!_tree.IsV2)
        {
            Assert.Equal("102", _tree.Read("cpu", $"{_root}/kubepods/burstable/podu1", "cpu.shares"));
            Assert.Equal("50000", _tree.Read("cpu", $"{_root}/kubepods/burstable/podu1", "cpu.cfs_quota_us"));
            Assert.Equal("-1", _tree.Read("cpu", $"{_root}/kubepods/burstable/podu2", "cpu.cfs_quota_us"));
            Assert.Equal("512", _tree.Read("cpu", $"{_root}/kubepods/burstable", "cpu.shares"));
            Assert.Equal("2", _tree.Read("cpu", $"{_root}/kubepods/besteffort", "cpu.shares"));
        }

        Assert.Equal("100", _tree.Read("pids", $"{_root}/kubepods/besteffort/podu3", "pids.max"));

        await _cgroups.RemoveAsync("u2", Cancel);
        if (!_tree.IsV2)
        {
            Assert.Equal("102", _tree.Read("cpu", $"{_root}/kubepods/burstable", "cpu.shares"));
        }

        Assert.Equal(["u1", "u3"], _cgroups.PodsInCgroups().Order());
    }

    [RootFact]
    public async Task A_limit_that_is_taken_away_is_gone()
    {
        await _cgroups.EnsureRootAsync(Cancel);
        await _cgroups.EnsureAsync(Pod("u1", "{cpu: 100m}", "{memory: 64Mi, cpu: 200m}"), Cancel);
        await _cgroups.EnsureAsync(Pod("u1", "{cpu: 100m}", "{}"), Cancel);
        Assert.NotEqual((64L << 20).ToString(), Memory($"{_root}/kubepods/burstable/podu1"));
    }

    [RootFact]
    public async Task A_resize_first_brings_what_is_more_and_then_takes_what_is_less()
    {
        var path = $"{_root}/kubepods/podu1";
        await _cgroups.EnsureRootAsync(Cancel);
        await _cgroups.EnsureAsync(Guaranteed("{cpu: 500m, memory: 64Mi}"), Cancel);

        // More memory and less CPU.
        await _cgroups.WidenAsync(Guaranteed("{cpu: 200m, memory: 128Mi}"), Cancel);
        Assert.Equal((128L << 20).ToString(), Memory(path));
        Assert.Equal("50000", Quota(path));
        await _cgroups.EnsureAsync(Guaranteed("{cpu: 200m, memory: 128Mi}"), Cancel);
        Assert.Equal("20000", Quota(path));

        await _cgroups.WidenAsync(Guaranteed("{cpu: 700m, memory: 64Mi}"), Cancel);
        Assert.Equal((128L << 20).ToString(), Memory(path));
        Assert.Equal("70000", Quota(path));
        Assert.Equal(_tree.IsV2 ? "28" : "716", _tree.Read("cpu", path, _tree.IsV2 ? "cpu.weight" : "cpu.shares"));
        await _cgroups.WidenAsync(Guaranteed("{cpu: 300m, memory: 64Mi}"), Cancel);
        Assert.Equal(_tree.IsV2 ? "28" : "716", _tree.Read("cpu", path, _tree.IsV2 ? "cpu.weight" : "cpu.shares"));
    }

    [RootFact]
    public async Task What_a_runtime_left_behind_is_killed()
    {
        await _cgroups.EnsureRootAsync(Cancel);
        await _cgroups.EnsureAsync(Pod("u1", "{}", "{}"), Cancel);
        var path = $"{_root}/kubepods/besteffort/podu1/container";
        _tree.Create(path);
        using var sleeper = Process.Start("sleep", "1000");
        _tree.AddProcess(path, sleeper.Id);

        await _cgroups.RemoveAsync("u1", Cancel);
        await sleeper.WaitForExitAsync(Cancel);
        Assert.False(_tree.Exists($"{_root}/kubepods/besteffort/podu1"));
        await _cgroups.RemoveAsync("u1", Cancel);
    }

    private string? Memory(string path) => _tree.Read("memory", path, _tree.IsV2 ? "memory.max" : "memory.limit_in_bytes");

    private string? Quota(string path) => _tree.Read("cpu", path, _tree.IsV2 ? "cpu.max" : "cpu.cfs_quota_us")?.Split(' ')[0];

    private static V1Pod Guaranteed(string both) => Pod("u1", both, both);

    private static V1Pod Pod(string uid, string requests, string limits) =>
        Objects.Pod($"containers: [{{name: a, resources: {{requests: {requests}, limits: {limits}}}}}]", uid: uid);
}
