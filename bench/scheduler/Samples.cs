using k8s.Models;

namespace Podhost.Bench.Scheduler;

/// <summary>The nodes and pods of the bench. Pods come in applications of 200.</summary>
internal static class Samples
{
    private const string Host = "kubernetes.io/hostname";
    private const string Zone = "topology.kubernetes.io/zone";
    private const int PodsOfApp = 200;

    /// <summary>The kinds of pods, each measured alone; mixed has a quarter of each of the others.</summary>
    public static string[] Kinds { get; } = ["plain", "affinity", "anti-affinity", "spread", "mixed"];

    public static V1Node Node(int i) => new()
    {
        ApiVersion = "v1",
        Kind = "Node",
        Metadata = new V1ObjectMeta
        {
            Name = $"node-{i:0000}",
            Labels = new Dictionary<string, string> { [Host] = $"node-{i:0000}", [Zone] = $"zone-{i % 3}" },
        },
        Status = new V1NodeStatus
        {
            Allocatable = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("16"), ["memory"] = new("64Gi"), ["pods"] = new("110") },
            Capacity = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("16"), ["memory"] = new("64Gi"), ["pods"] = new("110") },
        },
    };

    public static V1Pod Pod(string kind, int i)
    {
        var app = $"app-{i / PodsOfApp}";
        var own = kind == "mixed" ? Kinds[i / PodsOfApp % 4] : kind;
        return new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta { Name = $"pod-{i:00000}", NamespaceProperty = "default", Labels = new Dictionary<string, string> { ["app"] = app } },
            Spec = new V1PodSpec
            {
                Affinity = own switch { "affinity" => Together(app), "anti-affinity" => Apart(app), _ => null },
                TopologySpreadConstraints = own == "spread" ? Spread(app) : null,
                Containers =
                [
                    new V1Container
                    {
                        Name = "app",
                        Image = "busybox:stable",
                        Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("100m"), ["memory"] = new("64Mi") } },
                    },
                ],
            },
        };
    }

    private static V1Affinity Together(string app) => new()
    {
        PodAffinity = new V1PodAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [Term(app, Zone)] },
    };

    private static V1Affinity Apart(string app) => new()
    {
        PodAntiAffinity = new V1PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [Term(app, Host)] },
    };

    private static V1TopologySpreadConstraint[] Spread(string app) =>
    [
        new() { MaxSkew = 1, TopologyKey = Zone, WhenUnsatisfiable = "DoNotSchedule", LabelSelector = Selector(app) },
        new() { MaxSkew = 1, TopologyKey = Host, WhenUnsatisfiable = "ScheduleAnyway", LabelSelector = Selector(app) },
    ];

    private static V1PodAffinityTerm Term(string app, string topologyKey) => new() { LabelSelector = Selector(app), TopologyKey = topologyKey };

    private static V1LabelSelector Selector(string app) => new() { MatchLabels = new Dictionary<string, string> { ["app"] = app } };
}
