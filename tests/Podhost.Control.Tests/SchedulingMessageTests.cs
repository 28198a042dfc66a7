using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Control.Scheduler;
using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Preemption;

namespace Podhost.Control.Tests;

/// <summary>
/// Whole messages as upstream prints them, and where pods go by what other pods ask for. The nodes: a (zone z1, taken up by nothing), b (z1), c (z2); 4 cores
/// each. Each row is what runs (<c>name@node labels spec</c>), the spec of the new pod (labels app=web), and the node or the message.
/// </summary>
public sealed class SchedulingMessageTests
{
    private const string Apart = """{"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"TOPOLOGY"}]}}}""";
    private const string Together = """{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"APP"}},"topologyKey":"TOPOLOGY"}]}}}""";
    private const string Likes = """{"affinity":{"KIND":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":100,"podAffinityTerm":{"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"zone"}}]}}}""";

    [Theory]
    [InlineData("zone", "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't satisfy existing pods anti-affinity rules.")]
    [InlineData("kubernetes.io/hostname", "b")]
    public void A_pod_keeps_away_from_those_that_avoid_it(string topology, string expected) =>
        Tell([Pod("lonely", "a", Apart.Replace("TOPOLOGY", topology), "app", "db")], """{"nodeSelector":{"zone":"z1"}}""", expected);

    [Theory]
    [InlineData("web", "zone", "a")]
    [InlineData("other", "zone", "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.")]
    [InlineData("web", "rack", "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.")]
    public void The_first_of_a_group_needs_no_company_but_the_domain(string app, string topology, string expected) =>
        Tell([], Together.Replace("APP", app).Replace("TOPOLOGY", topology), expected);

    [Fact]
    public void Own_anti_affinity_is_told_apart_from_that_of_others() => Tell(
        [Pod("one", "a", "{}", "app", "web"), Pod("two", "c", Apart.Replace("TOPOLOGY", "zone"), "app", "db")],
        Apart.Replace("TOPOLOGY", "zone"),
        "0/3 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules, 2 node(s) didn't match pod anti-affinity rules.");

    [Theory]
    [InlineData("podAffinity", "c")]
    [InlineData("podAntiAffinity", "a")]
    public void What_running_pods_prefer_counts_for_the_new_one(string kind, string expected) => Tell([Pod("likes", "c", Likes.Replace("KIND", kind), "app", "db")], "{}", expected);

    [Theory]
    [InlineData(1, "c")]
    [InlineData(5, "c")]
    public void Anyway_the_emptier_domain_is_preferred(int skew, string expected) => Tell(
        [Pod("one", "a", "{}", "app", "web"), Pod("two", "b", "{}", "app", "web")],
        $$$$$$"""{"topologySpreadConstraints":[{"maxSkew":{{{{{{skew}}}}}},"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"web"}}}]}""",
        expected);

    [Fact]
    public void Leaving_pods_do_not_count_in_a_spread()
    {
        var leaving = Pod("one", "c", "{}", "app", "web");
        leaving.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
        Tell([leaving, Pod("two", "a", "{}", "app", "web")], Spread("DoNotSchedule"), "c");
    }

    [Fact]
    public void Missing_labels_and_skew_are_told_apart() => Tell(
        [Pod("one", "a", "{}", "app", "web"), Pod("two", "b", "{}", "app", "web")],
        """{"nodeSelector":{"zone":"z1"},"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","nodeAffinityPolicy":"Ignore","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}]}""",
        "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't match pod topology spread constraints.",
        Objects.Node("d"));

    [Fact]
    public void A_node_without_the_label_is_told() => Tell(
        [Pod("one", "a", "{}", "app", "web"), Pod("two", "b", "{}", "app", "web")],
        Spread("DoNotSchedule").Replace("""{"topology""", """{"tolerations":[],"topology"""),
        "0/4 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), 1 node(s) had untolerated taint(s), 2 node(s) didn't match pod topology spread constraints.",
        Objects.Node("d"),
        taintC: true);

    [Theory]
    [InlineData("""["c"]""", "c")]
    [InlineData("""["gone"]""", "0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity].")]
    public void A_pod_of_a_named_node_is_told_so(string names, string expected) => Tell([], NamedNode(names), expected);

    [Fact]
    public void A_named_node_that_is_full_is_told_beside_the_others() => Tell(
        [Pod("big", "c", """{"containers":[{"name":"c","resources":{"requests":{"cpu":"4"}}}]}""")],
        NamedNode("""["c"]""")[..^1] + ""","containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]}""",
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.");

    // A pod on the only node asks for 1 core now, has 2 allocated and 3 in force: what counts is what the kubelet has not given back yet.
    [Theory]
    [InlineData("1", "2", "3", null, "1")]
    [InlineData("3", "1", "1", null, "1")]
    [InlineData("3", "1", "1", "Deferred", "1")]
    [InlineData("3", "1", "1", "Infeasible", "3")]
    [InlineData("3", "2", "1", "Infeasible", "2")]
    public void A_resize_under_way_counts_by_the_most(string asked, string allocated, string actual, string? pending, string left)
    {
        var resizing = Pod("resizing", "n", $$$$$$"""{"containers":[{"name":"c","resources":{"requests":{"cpu":"{{{{{{asked}}}}}}"}}}]}""");
        resizing.Status = new V1PodStatus
        {
            Conditions = pending is null ? null : [new V1PodCondition { Type = "PodResizePending", Status = "True", Reason = pending }],
            ContainerStatuses =
            [
                new V1ContainerStatus
                {
                    Name = "c",
                    AllocatedResources = new Dictionary<string, ResourceQuantity> { ["cpu"] = new(allocated) },
                    Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new(actual) } },
                },
            ],
        };
        var cluster = ClusterView.Build([Objects.Node("n")], [new PodView(resizing)], new Dictionary<string, string>(), []);
        Assert.Equal("n", SchedulingDecider.Decide(new PodView(Objects.Asking("fits", left, "1Mi")), cluster).NodeName);
        Assert.Null(SchedulingDecider.Decide(new PodView(Objects.Asking("more", left + ".001", "1Mi")), cluster).NodeName);
    }

    private static string Spread(string whenUnsatisfiable) =>
        $$$$$$"""{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"{{{{{{whenUnsatisfiable}}}}}}","labelSelector":{"matchLabels":{"app":"web"}}}]}""";

    private static string NamedNode(string names) =>
        $$$$$$"""{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":{{{{{{names}}}}}}}]}]}}}}""";

    private static void Tell(V1Pod[] running, string spec, string expected, V1Node? more = null, bool taintC = false)
    {
        var nodes = new List<V1Node> { Node("a", "z1"), Node("b", "z1"), Node("c", "z2") };
        nodes.AddRange(more is null ? [] : [more]);
        nodes[2].Spec.Taints = taintC ? [new V1Taint { Key = "only", Effect = "NoSchedule" }] : null;
        var pod = new PodView(Pod("new", null, spec, "app", "web"));
        var cluster = ClusterView.Build(nodes, running.Select(p => new PodView(p)), new Dictionary<string, string>(), []);
        var result = SchedulingDecider.Decide(pod, cluster);
        var message = expected.Contains("preemption", StringComparison.Ordinal)
            ? $"{result.Message} preemption: {PreemptionDecider.Decide(pod, cluster, result, DisruptionBudgets.None).Message}"
            : result.Message;
        Assert.Equal(expected, result.NodeName ?? message);
    }

    private static V1Node Node(string name, string zone)
    {
        var node = Objects.Node(name);
        node.Metadata.Labels["zone"] = zone;
        return node;
    }

    private static V1Pod Pod(string name, string? node, string spec, string? key = null, string? value = null)
    {
        var json = JsonNode.Parse(spec)!.AsObject();
        json.TryAdd("containers", new JsonArray(new JsonObject { ["name"] = "c" }));
        json["nodeName"] = node;
        return ObjectCodec.ToModel<V1Pod>(new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["uid"] = "uid-" + name, ["labels"] = key is null ? null : new JsonObject { [key] = value } },
            ["spec"] = json,
        });
    }
}
