using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Hosting;

namespace Podhost.Kubelet.Node;

/// <summary>The node's status from the machine and the runtime's own report; pure.</summary>
internal static class NodeStatusRules
{
    /// <summary>Most images in the status (upstream's nodeStatusMaxImages).</summary>
    private const int MaxImages = 50;

    /// <summary>The three conditions of a shortage: reason and message where it is and where it is not.</summary>
    private static readonly (string Type, string Reason, string Message, string FineReason, string FineMessage)[] Shortages =
    [
        (EvictionSignals.MemoryPressure, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        (EvictionSignals.DiskPressure, "KubeletHasDiskPressure", "kubelet has disk pressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        (EvictionSignals.PidPressure, "KubeletHasInsufficientPID", "kubelet has insufficient PID available", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ];

    /// <summary>
    /// What a control plane may count on (KEP-5328, NodeDeclaredFeatures): without it upstream's scheduler and admission keep pods and resizes that need
    /// it away from the node. In order.
    /// </summary>
    private static readonly string[] DeclaredFeatures =
        ["GuaranteedQoSPodCPUResize", "InPlacePodLevelResourcesVerticalScaling", "RestartAllContainersOnContainerExits"];

    public static V1NodeStatus Build(
        KubeletOptions options, NodeInventory inventory, RuntimeFacts runtime, IReadOnlyCollection<string> pressures, V1NodeStatus? old, DateTimeOffset now)
    {
        var info = inventory.Info;
        var conditions = new List<V1NodeCondition>();
        conditions.AddRange(Shortages.Select(s => pressures.Contains(s.Type) ? Make(s.Type, "True", s.Reason, s.Message) : Make(s.Type, "False", s.FineReason, s.FineMessage)));
        conditions.Add(Ready(runtime));
        var time = new DateTime(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
        foreach (var condition in conditions)
        {
            var before = old?.Conditions?.FirstOrDefault(c => c.Type == condition.Type);
            condition.LastHeartbeatTime = time;
            condition.LastTransitionTime = before?.Status == condition.Status ? before.LastTransitionTime : time;
        }

        var given = Given(old?.Capacity, inventory.Resources.Capacity).ToList();
        return new V1NodeStatus
        {
            Addresses = [.. inventory.HostIPs.Select(ip => new V1NodeAddress { Type = "InternalIP", Address = ip }), new V1NodeAddress { Type = "Hostname", Address = options.NodeName }],
            Capacity = inventory.Resources.Capacity.Concat(given).ToDictionary(),
            Allocatable = inventory.Resources.Allocatable.Concat(given).ToDictionary(),
            Conditions = conditions,
            DaemonEndpoints = new V1NodeDaemonEndpoints { KubeletEndpoint = new V1DaemonEndpoint { Port = options.Port } },
            DeclaredFeatures = [.. DeclaredFeatures],
            Images = Images(runtime.Images),
            RuntimeHandlers = [.. runtime.Handlers.Select(h => Handler(h))],
            Features = runtime.Features is { } features ? new V1NodeFeatures { SupplementalGroupsPolicy = features.SupplementalGroupsPolicy } : null,
            NodeInfo = new V1NodeSystemInfo
            {
                Architecture = info.Architecture,
                BootID = info.BootID,
                ContainerRuntimeVersion = runtime.Version,
                KernelVersion = info.KernelVersion,
                KubeProxyVersion = info.KubeProxyVersion,
                KubeletVersion = info.KubeletVersion,
                MachineID = info.MachineID,
                OperatingSystem = info.OperatingSystem,
                OsImage = info.OsImage,
                SystemUUID = info.SystemUUID,
            },
        };
    }

    /// <summary>What others say that the node has (extended resources, written into status.capacity): all of it is for pods.</summary>
    public static IEnumerable<KeyValuePair<string, ResourceQuantity>> Given(IDictionary<string, ResourceQuantity>? inApi, IReadOnlyDictionary<string, ResourceQuantity> own) =>
        (inApi ?? new Dictionary<string, ResourceQuantity>()).Where(c => c.Key.Contains('/', StringComparison.Ordinal) && !own.ContainsKey(c.Key));

    /// <summary>Events of a change: that the node has become short of something, or is so no more (upstream: the reason with Node in Kubelet's place).</summary>
    public static IEnumerable<string> Changes(V1NodeStatus? before, V1NodeStatus after) =>
        from shortage in Shortages
        let was = before?.Conditions?.FirstOrDefault(c => c.Type == shortage.Type)
        let now = after.Conditions.First(c => c.Type == shortage.Type)
        where was is not null && was.Status != now.Status
        select "Node" + now.Reason["Kubelet".Length..];

    // The default handler has no name (upstream's convention).
    private static V1NodeRuntimeHandler Handler(RuntimeHandler handler) => new()
    {
        Name = handler.Name,
        Features = new V1NodeRuntimeHandlerFeatures
        {
            RecursiveReadOnlyMounts = handler.Features?.RecursiveReadOnlyMounts,
            UserNamespaces = handler.Features?.UserNamespaces,
        },
    };

    /// <summary>True where two statuses say the same apart from their heartbeats.</summary>
    public static bool Same(V1NodeStatus a, V1NodeStatus b) =>
        Beatless(a) == Beatless(b);

    /// <summary>True where the object in the API has the conditions that were written; those of others may be there too.</summary>
    public static bool HasConditionsOf(V1NodeStatus? inApi, V1NodeStatus written) => written.Conditions.All(w =>
        inApi?.Conditions?.Any(c => c.Type == w.Type && c.Status == w.Status && c.Reason == w.Reason && c.Message == w.Message) == true);

    /// <summary>True where the object in the API has the extended resources that were written, and no others.</summary>
    public static bool GivesAsMuchAs(V1NodeStatus? inApi, V1NodeStatus written) =>
        Extended(inApi?.Capacity).SetEquals(Extended(written.Capacity)) && Extended(inApi?.Allocatable).SetEquals(Extended(written.Allocatable));

    private static HashSet<(string Name, string Amount)> Extended(IDictionary<string, ResourceQuantity>? resources) =>
        [.. Given(resources, new Dictionary<string, ResourceQuantity>()).Select(r => (r.Key, r.Value.ToString()))];

    private static string Beatless(V1NodeStatus status)
    {
        var json = Podhost.Api.Objects.ObjectCodec.ToObject(status);
        foreach (var condition in json["conditions"] as System.Text.Json.Nodes.JsonArray ?? [])
        {
            condition!.AsObject().Remove("lastHeartbeatTime");
        }

        return json.ToJsonString();
    }

    private static V1NodeCondition Ready(RuntimeFacts runtime)
    {
        var problems = new List<string>();
        if (runtime.Error is { } error)
        {
            problems.Add("container runtime is down: " + error);
        }

        foreach (var (type, what) in new[] { ("RuntimeReady", "container runtime not ready"), ("NetworkReady", "container runtime network not ready") })
        {
            if (runtime.Conditions.FirstOrDefault(c => c.Type == type) is { Status: false } c)
            {
                problems.Add($"{what}: {type}=false reason:{c.Reason} message:{c.Message}");
            }
        }

        return problems.Count == 0
            ? Make("Ready", "True", "KubeletReady", "kubelet is posting ready status")
            : Make("Ready", "False", "KubeletNotReady", problems.Count == 1 ? problems[0] : $"[{string.Join(", ", problems)}]");
    }

    private static List<V1ContainerImage> Images(IReadOnlyList<Image> images) =>
        [.. images.OrderByDescending(i => i.Size).Take(MaxImages).Select(i => new V1ContainerImage
        {
            Names = [.. i.RepoDigests.Take(5), .. i.RepoTags.Take(5)],
            SizeBytes = (long)i.Size,
        })];

    private static V1NodeCondition Make(string type, string status, string reason, string message) =>
        new() { Type = type, Status = status, Reason = reason, Message = message };
}

/// <summary>What the runtime says of itself.</summary>
/// <param name="Version">For example <c>podhost://0.1.0</c>.</param>
/// <param name="Conditions">RuntimeReady and NetworkReady.</param>
/// <param name="Images">Its images.</param>
/// <param name="Handlers">What a RuntimeClass may name.</param>
/// <param name="Features">What it can beyond its handlers; null where it does not say.</param>
/// <param name="Error">Why it did not answer; null where it did.</param>
internal sealed record RuntimeFacts(
    string Version, IReadOnlyList<RuntimeCondition> Conditions, IReadOnlyList<Image> Images, IReadOnlyList<RuntimeHandler> Handlers, RuntimeFeatures? Features, string? Error = null);
