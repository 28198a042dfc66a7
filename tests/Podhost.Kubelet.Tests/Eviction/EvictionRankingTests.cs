using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.Eviction;

/// <summary>Who is evicted first, and what is said of it.</summary>
public sealed class EvictionRankingTests
{
    private const long Mi = 1024 * 1024;

    /// <summary>A pod in a word: name, request in Mi, priority, use in Mi (? where it is not known).</summary>
    [Theory]
    [InlineData("a:0:0:10 b:0:0:20", "b a")] // more use first
    [InlineData("a:100:0:150 b:0:0:40", "a b")] // beyond the request counts, not the whole
    [InlineData("a:100:0:90 b:0:0:1", "b a")] // within its request last
    [InlineData("a:0:5:500 b:0:1:1", "b a")] // priority before use
    [InlineData("a:100:-5:90 b:0:100:1", "b a")] // but not before the request
    [InlineData("a:100:0:90 b:200:0:150", "a b")] // within both requests: the nearer to it
    [InlineData("a:0:0:500 b:0:9:?", "b a")] // who is not known goes first
    public void Memory_is_ranked_by_use_over_request_then_priority_then_excess(string pods, string order)
    {
        Assert.Equal(order, Rank(pods, EvictionSignal.MemoryAvailable, ResourceNames.Memory));
        Assert.Equal(order, Rank(pods, EvictionSignal.AllocatableMemoryAvailable, ResourceNames.Memory));
        Assert.Equal(order, Rank(pods, EvictionSignal.NodeFsAvailable, ResourceNames.EphemeralStorage));
    }

    [Theory]
    [InlineData("a:0:0:10 b:0:0:20", "b a")]
    [InlineData("a:0:5:500 b:0:1:1", "b a")]
    [InlineData("a:900:0:10 b:0:0:5", "a b")] // no requests of processes
    public void Processes_are_ranked_by_priority_then_number(string pods, string order) =>
        Assert.Equal(order, Rank(pods, EvictionSignal.PidAvailable, ResourceNames.Memory));

    [Theory]
    [InlineData(EvictionSignal.NodeFsAvailable, false, 111)]
    [InlineData(EvictionSignal.ImageFsAvailable, false, 111)]
    [InlineData(EvictionSignal.NodeFsAvailable, true, 110)]
    [InlineData(EvictionSignal.ImageFsAvailable, true, 1)]
    [InlineData(EvictionSignal.NodeFsInodesFree, true, 6)]
    [InlineData(EvictionSignal.ImageFsInodesFree, true, 1)]
    public void Layers_count_for_the_images_file_system_logs_and_volumes_for_the_nodes(EvictionSignal signal, bool separate, long used)
    {
        var share = new PodShare(Objects.Pod("containers: [{name: main}]"))
        {
            Storage = new StorageUsage(
                new Dictionary<string, DiskUse> { ["v"] = new(100, 4) },
                new Dictionary<string, ContainerStorage> { ["main"] = new(new DiskUse(1, 1), new DiskUse(10, 2)) }),
        };
        Assert.Equal(used, share.Of(signal, separate));
    }

    [Fact]
    public void The_message_names_what_is_low_and_the_containers_beyond_their_request()
    {
        var pod = Objects.Pod("""
            containers:
            - {name: a, resources: {requests: {memory: 16Mi}}}
            - {name: b, resources: {requests: {memory: 64Mi}}}
            - {name: c}
            """);
        var threshold = new EvictionOptions().Thresholds()[0];
        var message = EvictionMessage.Of(threshold, EvictionObservation.Bytes(50 * Mi, 1024 * Mi), new PodShare(pod)
        {
            Memory = new Dictionary<string, long> { ["a"] = 20 * Mi, ["b"] = 20 * Mi, ["c"] = 1024 },
        });
        Assert.Equal(
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container a was using 20Mi, request is 16Mi, has larger consumption of memory. "
            + "Container c was using 1Ki, request is 0, has larger consumption of memory. ",
            message.Text);
        Assert.Equal(("a,c", "20Mi,1Ki", "memory"), (message.Annotations["offending_containers"], message.Annotations["offending_containers_usage"], message.Annotations["starved_resource"]));
    }

    [Theory]
    [InlineData(EvictionSignal.NodeFsAvailable, "The node was low on resource: ephemeral-storage. Threshold quantity: 107374184, available: 1Mi. ")]
    [InlineData(EvictionSignal.ImageFsInodesFree, "The node was low on resource: inodes. Threshold quantity: 53687092, available: 1Mi. ")]
    public void Parts_are_printed_as_the_quantity_that_upstreams_single_precision_makes_of_them(EvictionSignal signal, string text) => Assert.Equal(text, EvictionMessage.Of(
        new EvictionOptions().Thresholds().Single(t => t.Signal == signal), EvictionObservation.Bytes(Mi, 1024 * Mi), new PodShare(Objects.Pod("containers: [{name: a}]"))).Text);

    private static string Rank(string pods, EvictionSignal signal, string resource) =>
        string.Join(' ', EvictionRanking.Rank(pods.Split(' ').Select(p => Share(p.Split(':'), resource)), signal, separateImages: false).Select(s => s.Pod.Metadata.Name));

    private static PodShare Share(string[] pod, string resource)
    {
        var spec = $"priority: {pod[2]}\ncontainers: [{{name: main, resources: {{requests: {{{resource}: {pod[1]}Mi}}}}}}]";
        var share = new PodShare(Objects.Pod(spec, pod[0], pod[0]));
        if (pod[3] == "?")
        {
            return share;
        }

        var used = long.Parse(pod[3], System.Globalization.CultureInfo.InvariantCulture) * Mi;
        return share with
        {
            Memory = new Dictionary<string, long> { ["main"] = used },
            Storage = new StorageUsage(new Dictionary<string, DiskUse>(), new Dictionary<string, ContainerStorage> { ["main"] = new(new DiskUse(used, 1), default) }),
            Processes = used,
        };
    }
}
