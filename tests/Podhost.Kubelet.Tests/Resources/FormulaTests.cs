using k8s.Models;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.Resources;

public sealed class FormulaTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(100, 102)]
    [InlineData(1000, 1024)]
    [InlineData(1500, 1536)]
    [InlineData(1_000_000, 262144)]
    [InlineData(long.MaxValue, 262144)]
    public void Shares_follow_millicores(long milli, long shares) => Assert.Equal(shares, CpuMath.Shares(milli));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 1000)]
    [InlineData(100, 10_000)]
    [InlineData(500, 50_000)]
    [InlineData(1500, 150_000)]
    public void Quota_is_a_part_of_the_period_and_never_below_what_the_kernel_takes(long milli, long quota) =>
        Assert.Equal(quota, CpuMath.Quota(milli));

    [Theory]
    [InlineData("{}", "{}", "BestEffort")]
    [InlineData("{cpu: 0}", "{}", "BestEffort")]
    [InlineData("{cpu: 100m}", "{}", "Burstable")]
    [InlineData("{cpu: 100m, memory: 1Gi}", "{cpu: 100m, memory: 1Gi}", "Guaranteed")]
    [InlineData("{cpu: 0.1, memory: 1024Mi}", "{cpu: 100m, memory: 1Gi}", "Guaranteed")]
    [InlineData("{cpu: 100m, memory: 1Gi}", "{cpu: 200m, memory: 1Gi}", "Burstable")]
    [InlineData("{memory: 1Gi}", "{memory: 1Gi}", "Burstable")]
    [InlineData("{nvidia.com/gpu: 1}", "{nvidia.com/gpu: 1}", "BestEffort")]
    public void Qos_class_of_one_container(string requests, string limits, string expected) =>
        Assert.Equal(expected, QosRules.Of(Pod(requests, limits)).ToString());

    [Fact]
    public void An_init_container_without_limits_makes_a_pod_burstable()
    {
        var pod = Pod("{cpu: 1, memory: 1Gi}", "{cpu: 1, memory: 1Gi}", "initContainers: [{name: i}]");
        Assert.Equal(QosClass.Burstable, QosRules.Of(pod));
    }

    [Fact]
    public void Pod_level_resources_decide_the_class_alone()
    {
        var pod = Pod("{cpu: 1}", "{}", "resources: {requests: {cpu: 2, memory: 1Gi}, limits: {cpu: 2, memory: 1Gi}}");
        Assert.Equal(QosClass.Guaranteed, QosRules.Of(pod));
    }

    [Fact]
    public void A_pod_asks_for_the_larger_of_its_containers_and_each_init_container_with_the_sidecars_before_it()
    {
        var pod = Objects.Pod("""
            overhead: {cpu: 250m}
            initContainers:
            - {name: early, resources: {requests: {cpu: 2, memory: 1Gi}}}
            - {name: sidecar, restartPolicy: Always, resources: {requests: {cpu: 500m, memory: 100Mi}}}
            - {name: late, resources: {requests: {cpu: 1800m}}}
            containers:
            - {name: a, resources: {requests: {cpu: 1, memory: 200Mi}}}
            - {name: b, resources: {requests: {cpu: 500m}}}
            """);
        var requests = PodResources.Requests(pod);

        // Running: 1 + 0.5 + sidecar 0.5 = 2; inits: 2, then 1.8 + 0.5 = 2.3; overhead 0.25.
        Assert.Equal(2.55m, requests["cpu"]);
        Assert.Equal(1024m * 1024 * 1024, requests["memory"]);
    }

    [Fact]
    public void Overhead_widens_limits_but_makes_none()
    {
        var pod = Pod("{}", "{memory: 1Gi}", "overhead: {memory: 64Mi, cpu: 100m}");
        var limits = PodResources.Limits(pod);
        Assert.Equal((1024m + 64) * 1024 * 1024, limits["memory"]);
        Assert.False(limits.ContainsKey("cpu"));
    }

    [Theory]
    [InlineData("{}", "{}", 1000)]
    [InlineData("{cpu: 1, memory: 1Gi}", "{cpu: 1, memory: 1Gi}", -997)]
    [InlineData("{memory: 1Gi}", "{}", 750)]
    [InlineData("{memory: 4Gi}", "{}", 2)]
    [InlineData("{memory: 1Mi}", "{}", 999)]
    [InlineData("{cpu: 1}", "{}", 999)]
    public void Oom_score_by_class_and_request(string requests, string limits, int expected)
    {
        var pod = Pod(requests, limits);
        Assert.Equal(expected, OomScore.Of(pod, pod.Spec.Containers[0], 4L << 30));
    }

    [Fact]
    public void A_critical_pod_is_killed_last()
    {
        var pod = Pod("{}", "{}", "priority: 2000001000");
        Assert.Equal(-997, OomScore.Of(pod, pod.Spec.Containers[0], 4L << 30));
    }

    [Fact]
    public void A_sidecar_is_at_least_as_safe_as_the_least_safe_container()
    {
        var pod = Pod("{memory: 2Gi}", "{}", "initContainers: [{name: s, restartPolicy: Always}]");
        Assert.Equal(500, OomScore.Of(pod, pod.Spec.InitContainers[0], 4L << 30));
    }

    [Fact]
    public void A_container_takes_its_request_from_its_limit_and_its_limit_from_the_pod()
    {
        var limited = Pod("{}", "{cpu: 500m, memory: 1G}");
        var values = ContainerCgroupValues.Of(limited, limited.Spec.Containers[0], Objects.Node(), new ResourceOptions());
        Assert.Equal((512, 50_000, 100_000, 1_000_000_000), (values.CpuShares, values.CpuQuota, values.CpuPeriod, values.MemoryLimit));

        var podLevel = Pod("{}", "{}", "resources: {limits: {memory: 1Gi, cpu: 1}}");
        values = ContainerCgroupValues.Of(podLevel, podLevel.Spec.Containers[0], Objects.Node(), new ResourceOptions());
        Assert.Equal((100_000, 1L << 30), (values.CpuQuota, values.MemoryLimit));
    }

    [Fact]
    public void Huge_pages_that_were_not_asked_for_are_limited_to_none()
    {
        var pod = Pod("{}", "{hugepages-2Mi: 4Mi}");
        var options = new ResourceOptions { HugePageSizes = ["2MB", "1GB"] };
        var pages = ContainerCgroupValues.Of(pod, pod.Spec.Containers[0], Objects.Node(), options).HugePages;
        Assert.Equal(4L << 20, pages["2MB"]);
        Assert.Equal(0, pages["1GB"]);
    }

    [Theory]
    [InlineData("hugepages-2Mi", "2MB")]
    [InlineData("hugepages-1Gi", "1GB")]
    [InlineData("hugepages-64Ki", "64KB")]
    [InlineData("hugepages-x", null)]
    [InlineData("memory", null)]
    public void Huge_page_units(string resource, string? unit) => Assert.Equal(unit, ResourceNames.HugePageUnit(resource));

    [Fact]
    public void Memory_quality_of_service_protects_the_request_and_throttles_below_the_limit()
    {
        var pod = Pod("{memory: 1Gi}", "{memory: 2Gi}");
        var options = new ResourceOptions { CgroupV2 = true, MemoryQos = true };
        var unified = ContainerCgroupValues.Of(pod, pod.Spec.Containers[0], Objects.Node(), options).Unified;
        Assert.Equal("1073741824", unified["memory.min"]);
        Assert.Equal("2040107008", unified["memory.high"]); // floor((1Gi + 0.9 · 1Gi) / 4096) · 4096
        Assert.Equal("1", unified["memory.oom.group"]);
    }

    [Fact]
    public void Pod_values_of_a_burstable_pod_limit_only_what_all_containers_limit()
    {
        var pod = Objects.Pod("""
            containers:
            - {name: a, resources: {requests: {cpu: 100m}, limits: {cpu: 1, memory: 1Gi}}}
            - {name: b, resources: {requests: {cpu: 200m}, limits: {memory: 1Gi}}}
            """);
        var values = PodCgroupValues.Of(pod, new ResourceOptions { PodPidsLimit = 1024 });
        Assert.Equal((307, -1, 2L << 30, 1024), (values.CpuShares, values.CpuQuota, values.MemoryLimit, values.PidsLimit));
    }

    [Fact]
    public void Pod_values_of_a_best_effort_pod_are_the_least_weight_and_no_limit()
    {
        var values = PodCgroupValues.Of(Pod("{}", "{}"), new ResourceOptions());
        Assert.Equal((2, -1, -1, null), (values.CpuShares, values.CpuQuota, values.MemoryLimit, values.PidsLimit));
    }

    [Fact]
    public void Cgroup_paths_follow_the_class()
    {
        var options = new ResourceOptions { CgroupRoot = "/test" };
        Assert.Equal("/test/kubepods/besteffort/podu1", PodCgroupPath.OfPod(options, Pod("{}", "{}", uid: "u1")));
        Assert.Equal("/test/kubepods/burstable/podu1", PodCgroupPath.OfPod(options, Pod("{cpu: 1}", "{}", uid: "u1")));
        Assert.Equal("/kubepods/podu1", PodCgroupPath.OfPod(new ResourceOptions(), Pod("{}", "{cpu: 1, memory: 1Gi}", uid: "u1", requestsFromLimits: true)));
        Assert.Throws<ArgumentException>(() => PodCgroupPath.OfPod(options, Pod("{}", "{}", uid: "../x")));
    }

    private static V1Pod Pod(string requests, string limits, string more = "", string uid = "u", bool requestsFromLimits = false) => Objects.Pod(
        $"containers: [{{name: a, resources: {{requests: {(requestsFromLimits ? limits : requests)}, limits: {limits}}}}}]\n{more}", uid: uid);
}
