using CsCheck;
using k8s.Models;
using Podhost.Control.Scheduler;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Tests;

/// <summary>Whatever events came in whatever order, the view kept by events is the one that is built from all objects at once.</summary>
public sealed class ClusterCacheTests
{
    private static readonly Gen<(int What, int Pod, int Node, int Size)[]> Steps = Gen.Select(Gen.Int[0, 6], Gen.Int[0, 7], Gen.Int[0, 3], Gen.Int[1, 9]).Array[1, 60];

    [Fact]
    public void The_view_kept_by_events_is_the_one_built_from_scratch() => Steps.Sample(steps =>
    {
        var cache = new ClusterCache();
        var nodes = new Dictionary<string, V1Node>();
        var pods = new Dictionary<string, V1Pod>();
        var assumed = new Dictionary<string, string>();
        foreach (var step in steps)
        {
            Apply(step, cache, nodes, pods, assumed);

            // Views are taken between events, so that what one shares with the next is tried too.
            var kept = cache.View();
            var built = ClusterView.Build(nodes.Values, pods.Values.Select(p => new PodView(p)), assumed, []);
            Assert.Equal(Describe(built), Describe(kept));
            Assert.Equal(Places(built), Places(kept));
            var asking = new PodView(Objects.Asking("new", "3", "1Gi"));
            Assert.Equal(SchedulingDecider.Decide(asking, built).NodeName, SchedulingDecider.Decide(asking, kept).NodeName);
        }
    }, iter: 300);

    [Fact]
    public void A_view_does_not_change_after_it_was_taken()
    {
        var cache = new ClusterCache();
        cache.PutNode(Objects.Node("n0"));
        var before = cache.View();
        cache.Assume(new PodView(Objects.Asking("p", "1", "1Gi")), "n0");
        Assert.Empty(before.Nodes[0].Pods);
        Assert.Single(cache.View().Nodes[0].Pods);
    }

    [Fact]
    public void Other_nodes_are_shared_between_views()
    {
        var cache = new ClusterCache();
        cache.PutNode(Objects.Node("n0"));
        cache.PutNode(Objects.Node("n1"));
        var before = cache.View();
        cache.Assume(new PodView(Objects.Asking("p", "1", "1Gi")), "n0");
        Assert.NotSame(before.Nodes[0], cache.View().Nodes[0]);
        Assert.Same(before.Nodes[1], cache.View().Nodes[1]);
    }

    private static IEnumerable<string> Places(ClusterView view) =>
        view.Traits.All.Select(t => $"{string.Join(',', t.Key.Labels.Values)} on {string.Join(',', t.Value.Order())}").Order(StringComparer.Ordinal);

    private static void Apply(
        (int What, int Pod, int Node, int Size) step, ClusterCache cache, Dictionary<string, V1Node> nodes, Dictionary<string, V1Pod> pods, Dictionary<string, string> assumed)
    {
        var (name, node) = ($"p{step.Pod}", $"n{step.Node}");
        var uid = "uid-" + name;
        switch (step.What)
        {
            case 0 or 1:
                cache.PutNode(nodes[node] = Objects.Node(node, cpu: $"{step.Size}"));
                break;
            case 2:
                nodes.Remove(node);
                cache.RemoveNode(node);
                break;
            case 3:
                pods.Remove(uid);
                assumed.Remove(uid);
                cache.RemovePod(uid);
                break;
            case 4 when !pods.ContainsKey(uid):
                pods[uid] = Objects.Asking(name, $"{step.Size}", "1Gi");
                assumed[uid] = node;
                cache.Assume(new PodView(pods[uid]), node);
                break;
            default:
                assumed.Remove(uid);
                cache.PutPod(pods[uid] = Running(name, node, step.Size));
                break;
        }
    }

    private static V1Pod Running(string name, string node, int size)
    {
        var pod = Objects.Asking(name, $"{size}00m", "1Gi");
        pod.Spec.NodeName = node;
        pod.Status = new V1PodStatus { Phase = size == 9 ? "Succeeded" : "Running" };
        pod.Spec.Containers[0].Ports = size % 2 == 0 ? [new V1ContainerPort { ContainerPort = 80, HostPort = 8000 + size }] : null;
        pod.Spec.Affinity = size % 3 == 0
            ? new V1Affinity
            {
                PodAntiAffinity = new V1PodAntiAffinity
                {
                    RequiredDuringSchedulingIgnoredDuringExecution = [new V1PodAffinityTerm { TopologyKey = "kubernetes.io/hostname", LabelSelector = new V1LabelSelector() }],
                },
            }
            : null;
        return pod;
    }

    private static string Describe(ClusterView view) => string.Join('\n', view.Nodes.Select(n =>
        $"{n.Name} {Amounts(n.Allocatable)} {Amounts(n.Requested)} {n.Asked} {n.Scored} {Names(n.Pods)} {Names(n.WithPorts)} {Counts(n.Traits)} {Counts(n.Terms)}"));

    private static string Names(PodView[] pods) => "[" + string.Join(',', pods.Select(p => $"{p.Pod.Metadata.Name}:{p.HostPorts.Count}").Order(StringComparer.Ordinal)) + "]";

    private static string Counts<T>(Tally<T> tally) where T : class, IEquatable<T> => string.Join(',', tally.Counts.ToArray().Select(c => $"{c.What.GetHashCode()}:{c.Count}").Order(StringComparer.Ordinal));

    private static string Amounts(IReadOnlyDictionary<string, decimal> amounts) =>
        "{" + string.Join(',', amounts.Where(a => a.Value != 0).OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key}={a.Value:0.###}")) + "}";
}
