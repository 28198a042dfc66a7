using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.Eviction;

/// <summary>Which pods hold more of the disk than they may, and what is said of them.</summary>
public sealed class StorageLimitsTests
{
    private const long Mi = 1024 * 1024;
    private const string TwoLimited = """
        containers:
        - {name: a, resources: {limits: {ephemeral-storage: 4Mi}}}
        - {name: b, resources: {limits: {ephemeral-storage: 6Mi}}}
        - {name: c}
        volumes: [{name: v, emptyDir: {}}]
        """;

    private const string Sized = "containers: [{name: a}]\nvolumes: [{name: v, emptyDir: {sizeLimit: 1024Ki}}]";

    [Theory]
    [InlineData(Sized, 1 * Mi, 0, 0, null)]
    [InlineData(Sized, (1 * Mi) + 1, 0, 0, "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". ")]
    [InlineData(TwoLimited, 6 * Mi, 2 * Mi, 2 * Mi, null)]
    [InlineData(TwoLimited, 7 * Mi, 2 * Mi, 2 * Mi, "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ")]
    [InlineData(TwoLimited, 0, 3 * Mi, 2 * Mi, "Container a exceeded its local ephemeral storage limit \"4Mi\". ")]
    [InlineData("containers: [{name: a}]\nvolumes: [{name: v, emptyDir: {}}]", 99 * Mi, 99 * Mi, 0, null)]
    public void What_exceeds_a_limit_is_named(string spec, long volume, long layer, long logs, string? message) =>
        Assert.Equal(message, StorageLimits.Exceeded(Objects.Pod(spec), Usage(volume, layer, logs)));

    [Fact]
    public void The_volume_is_named_first_and_then_the_pod()
    {
        var pod = Objects.Pod(TwoLimited.Replace("emptyDir: {}", "emptyDir: {sizeLimit: 1Mi}", StringComparison.Ordinal));
        Assert.StartsWith("Usage of EmptyDir", StorageLimits.Exceeded(pod, Usage(20 * Mi, 20 * Mi, 0)), StringComparison.Ordinal);
        Assert.StartsWith("Pod ephemeral", StorageLimits.Exceeded(pod, Usage(0, 20 * Mi, 0)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Sized, true)]
    [InlineData(TwoLimited, true)]
    [InlineData("containers: [{name: a, resources: {limits: {memory: 1Gi}}}]\nvolumes: [{name: v, emptyDir: {}}]", false)]
    [InlineData("containers: [{name: a}]\nvolumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]", false)]
    [InlineData(Sized + "\npriority: 2000000000", false)]
    public void Only_pods_with_such_limits_are_measured(string spec, bool measured) => Assert.Equal(measured, StorageLimits.Apply(Objects.Pod(spec)));

    [Fact]
    public void A_static_pod_stays()
    {
        var pod = Objects.Pod(Sized);
        pod.Metadata.Annotations = new Dictionary<string, string> { ["kubernetes.io/config.source"] = "file" };
        Assert.False(StorageLimits.Apply(pod));
        Assert.Null(StorageLimits.Exceeded(pod, Usage(9 * Mi, 0, 0)));
    }

    private static StorageUsage Usage(long volume, long layer, long logs) => new(
        new Dictionary<string, DiskUse> { ["v"] = new(volume, 1) }, new Dictionary<string, ContainerStorage> { ["a"] = new(new DiskUse(layer, 1), new DiskUse(logs, 1)) });
}
