using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Podhost.Kubelet.Node;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.PodConfig;

/// <summary>What pods are given of what they ask for: on a node of 2 CPUs and 4 GiB.</summary>
public sealed class AllocationTests : IDisposable
{
    private static readonly Dictionary<string, ResourceQuantity> List = new() { ["cpu"] = new("2"), ["memory"] = new("4Gi"), ["pods"] = new("110") };
    private static readonly NodeResources Node = new(List, List);
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("podhost-allocations-");
    private readonly FakeTimeProvider time = new();
    private readonly List<string> settled = [];
    private NodeAdmission admission;

    public AllocationTests() => admission = Start();

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public void What_fits_is_given()
    {
        Admit(Pod("a", "500m"));
        var given = admission.Ask(Pod("a", "1500m", generation: 2))!;
        Assert.Null(given.Pending);
        Assert.Equal(2, given.Generation);

        // And is taken from the node.
        Assert.Equal("Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000", admission.Admit(Pod("b", "600m"), PodOrigin.Api)!.Message);
    }

    [Fact]
    public void What_the_node_never_has_is_infeasible_and_what_it_does_not_have_now_is_deferred()
    {
        Admit(Pod("a", "500m"), Pod("b", "1"));
        Assert.Equal(new PendingResize("Infeasible", "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"), admission.Ask(Pod("a", "3", generation: 2))!.Pending);
        Assert.Equal(
            new PendingResize("Infeasible", "Node didn't have enough capacity: memory, requested: 5368709120, capacity: 4294967296"),
            admission.Ask(Pod("a", "3", generation: 3, memory: "5Gi"))!.Pending);
        var given = admission.Ask(Pod("a", "1500m", generation: 4))!;
        Assert.Equal(new PendingResize("Deferred", "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"), given.Pending);

        // It keeps what it has, in the generation that asked for it.
        Assert.Equal((1, "500m"), (given.Generation, given.Apply(Pod("a", "1500m", generation: 4)).Spec.Containers[0].Resources.Requests["cpu"].ToString()));
        Assert.Empty(settled);
    }

    [Fact]
    public void Who_waits_is_given_when_another_leaves_or_asks_for_less()
    {
        Admit(Pod("a", "500m"), Pod("b", "500m"), Pod("c", "1"));
        Assert.NotNull(admission.Ask(Pod("a", "1", generation: 2))!.Pending);
        admission.Release("b");
        Assert.Equal(["a 2"], settled);

        Assert.NotNull(admission.Ask(Pod("a", "1500m", generation: 3))!.Pending);
        Assert.Null(admission.Ask(Pod("c", "500m", generation: 2))!.Pending);
        Assert.Equal(["a 2", "a 3"], settled);
        admission.Release("b");
        Assert.Equal(2, settled.Count);
    }

    [Fact]
    public void Priority_then_quality_then_the_longest_wait_decide()
    {
        Admit(Pod("filler", "1500m"), Pod("late", "100m"), Pod("early", "100m"), Pod("sure", "100m", guaranteed: true), Pod("important", "100m", priority: 5));
        foreach (var (name, priority, guaranteed) in new[] { ("early", 0, false), ("late", 0, false), ("sure", 0, true), ("important", 5, false) })
        {
            Assert.NotNull(admission.Ask(Pod(name, "400m", 2, priority, guaranteed))!.Pending);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        // 900m are free then: three of the four get 300m more.
        admission.Ask(Pod("filler", "700m", generation: 2));
        Assert.Equal(["important 2", "sure 2", "early 2", "late Deferred"], settled);
    }

    [Fact]
    public void What_was_given_is_kept_over_a_restart()
    {
        Admit(Pod("a", "500m"), Pod("b", "1"));
        admission.Ask(Pod("a", "900m", generation: 2));
        Assert.NotNull(admission.Ask(Pod("a", "2", generation: 3))!.Pending);

        // In between somebody asks for more than fits: the pod is admitted all the same, with what it had.
        admission = Start();
        Assert.True(admission.Admit(Pod("a", "2", generation: 4), PodOrigin.Api)!.Admitted);

        // The other pod was not seen yet: it seems that there is room.
        Assert.Equal("900m", admission.Ask(Pod("a", "2", generation: 4))!.Containers["a"].Requests["cpu"].ToString());
        Assert.True(admission.Admit(Pod("b", "1"), PodOrigin.Api)!.Admitted);
        admission.SourcesKnown();
        Assert.Equal(["a Deferred"], settled);
        var given = admission.Ask(Pod("a", "2", generation: 4))!;
        Assert.Equal((2, "Deferred"), (given.Generation, given.Pending?.Reason));
        Assert.Equal("900m", given.Containers["a"].Requests["cpu"].ToString());
        admission.Release("b");
        Assert.Equal(["a Deferred", "a 4"], settled);
    }

    [Fact]
    public void What_the_pod_as_a_whole_was_given_is_kept_too()
    {
        static V1Pod Whole(string cpu, int generation)
        {
            var pod = Objects.Pod($"resources: {{requests: {{cpu: \"{cpu}\"}}}}\ncontainers: [{{name: a}}]", "a", "a");
            pod.Metadata.Generation = generation;
            return pod;
        }

        Admit(Whole("500m", 1), Pod("b", "1"));
        Assert.Equal((2, null), (admission.Ask(Whole("900m", 2))!.Generation, admission.Ask(Whole("900m", 2))!.Pending));
        Assert.Equal("Deferred", admission.Ask(Whole("2", 3))!.Pending!.Reason);
        Assert.Equal("Infeasible", admission.Ask(Whole("3", 4))!.Pending!.Reason);
        admission = Start();
        Admit(Whole("2", 5));
        var given = admission.Ask(Whole("2", 5))!;
        Assert.Equal((2, "900m"), (given.Generation, given.Apply(Whole("2", 5)).Spec.Resources.Requests["cpu"].ToString()));
    }

    [Fact]
    public void A_file_that_cannot_be_read_or_written_stops_nobody()
    {
        Admit(Pod("a", "500m"));
        File.WriteAllText(Path.Combine(directory.FullName, "state"), "{\"pods\": {\"a\": 7}}");
        admission = Start();
        Admit(Pod("a", "600m", generation: 2));
        Directory.CreateDirectory(Path.Combine(directory.FullName, "state.tmp"));
        Assert.Null(admission.Ask(Pod("a", "700m", generation: 3))!.Pending);
    }

    private NodeAdmission Start()
    {
        var started = new NodeAdmission(new NodeJudgement(Node, () => null, [], () => []), new AllocationFile(Path.Combine(directory.FullName, "state")), time);
        started.Settled += (uid, given) => settled.Add($"{uid} {given.Pending?.Reason ?? $"{given.Generation}"}");
        return started;
    }

    private void Admit(params V1Pod[] pods) => Assert.All(pods, p => Assert.True(admission.Admit(p, PodOrigin.Api)!.Admitted));

    private static V1Pod Pod(string name, string cpu, int generation = 1, int priority = 0, bool guaranteed = false, string memory = "1Mi")
    {
        var pod = Objects.Pod($"priority: {priority}\ncontainers: [{{name: {name}, resources: {{requests: {{cpu: \"{cpu}\", memory: {memory}}}, limits: {{cpu: \"{(guaranteed ? cpu : "8")}\", memory: {(guaranteed ? memory : "8Gi")}}}}}}}]", name, name);
        pod.Metadata.Generation = generation;
        return pod;
    }
}
