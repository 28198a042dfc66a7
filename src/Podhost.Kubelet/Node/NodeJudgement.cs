using System.Globalization;
using k8s.Models;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Containers.Sandbox;
using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Node;

/// <summary>The node's own judgement of pods that are bound to it: the scheduler may have been wrong or absent. It keeps no account.</summary>
internal sealed class NodeJudgement(NodeResources resources, Func<V1Node?> node, IReadOnlyList<string> allowedUnsafeSysctls, Func<IReadOnlyList<string>> pressures, Func<RuntimeTraits>? runtime = null)
{
    private static readonly Lazy<NodeFeatures> Features = new(NodeFeatures.Detect);

    private static readonly V1Taint MemoryTaint = new() { Key = "node.kubernetes.io/memory-pressure", Effect = "NoSchedule" };

    /// <summary>Whether a pod may run beside the others.</summary>
    public AdmissionVerdict Of(V1Pod pod, PodOrigin origin, IReadOnlyList<V1Pod> others) => OfNature(pod) ?? Fits(pod, others) ?? OfPlace(pod, origin, others) ?? AdmissionVerdict.Ok;

    /// <summary>The same, were there room for it.</summary>
    public AdmissionVerdict WithRoom(V1Pod pod, PodOrigin origin, IReadOnlyList<V1Pod> others) => OfNature(pod) ?? OfPlace(pod, origin, others) ?? AdmissionVerdict.Ok;

    /// <summary>What there is too little of for a pod beside the others.</summary>
    public IReadOnlyList<Shortage> Shortages(V1Pod pod, IReadOnlyList<V1Pod> others)
    {
        var used = new Dictionary<string, decimal>(StringComparer.Ordinal) { ["pods"] = others.Count };
        foreach (var other in others)
        {
            Quantities.Add(used, PodResources.Requests(other));
        }

        return [.. PodResources.Requests(pod).Append(KeyValuePair.Create("pods", 1m))
            .Select(r => (r.Key, Missing: r.Value > 0 ? r.Value - (resources.AllocatableOf(r.Key) - used.Get(r.Key)) : 0))
            .Where(r => r.Missing > 0)
            .Select(r => new Shortage(r.Key, r.Key == ResourceNames.Cpu ? Quantities.MilliValue(r.Missing) : Quantities.Value(r.Missing)))];
    }

    private AdmissionVerdict? OfNature(V1Pod pod) => Pressure(pod) ?? OperatingSystem(pod) ?? Groups(pod) ?? Sysctls(pod) ?? Unsupported(pod);

    private AdmissionVerdict? OfPlace(V1Pod pod, PodOrigin origin, IReadOnlyList<V1Pod> others) => Ports(pod, others) ?? Selector(pod) ?? Taints(pod, origin);

    /// <summary>Why a pod that runs may not have what it asks for now; null where it may.</summary>
    public PendingResize? OfResize(V1Pod pod, IReadOnlyList<V1Pod> others)
    {
        var requests = PodResources.Requests(pod);
        foreach (var (name, scale) in new[] { (ResourceNames.Memory, 1), (ResourceNames.Cpu, 1000) })
        {
            if (requests.Get(name) > resources.AllocatableOf(name))
            {
                return new PendingResize("Infeasible", string.Create(
                    CultureInfo.InvariantCulture,
                    $"Node didn't have enough capacity: {name}, requested: {Quantities.Value(requests.Get(name) * scale)}, capacity: {Quantities.Value(resources.AllocatableOf(name) * scale)}"));
            }
        }

        return Fits(pod, others) is { } full ? new PendingResize("Deferred", full.Message) : null;
    }

    /// <summary>
    /// While the node is short of something it takes nothing new but critical pods; short of memory alone, also what has requests or
    /// tolerates the taint. A pod that an earlier kubelet took stays.
    /// </summary>
    private AdmissionVerdict? Pressure(V1Pod pod)
    {
        var conditions = pressures();
        if (conditions.Count == 0 || StorageLimits.IsCritical(pod) || pod.Status?.StartTime is not null)
        {
            return null;
        }

        return conditions is [EvictionSignals.MemoryPressure] && (QosRules.Of(pod) != QosClass.BestEffort || NodeTerms.Tolerates(pod, MemoryTaint))
            ? null
            : new AdmissionVerdict(false, "Evicted", EvictionMessage.NodeHad(conditions));
    }

    /// <summary>What this kubelet does not do is refused by name, never ignored.</summary>
    private AdmissionVerdict? Unsupported(V1Pod pod)
    {
        var spec = pod.Spec;
        if (UnsupportedFields.Find(pod, Features.Value with { ImageVolumes = runtime?.Invoke().ImageVolumes ?? true }) is { Count: > 0 } fields)
        {
            return new AdmissionVerdict(false, "UnexpectedAdmissionError", string.Join("; ", fields));
        }

        return null;
    }

    private AdmissionVerdict? Sysctls(V1Pod pod) =>
        SysctlRules.Check(pod, allowedUnsafeSysctls) is { } forbidden ? new AdmissionVerdict(false, "SysctlForbidden", forbidden) : null;

    private AdmissionVerdict? Groups(V1Pod pod) => pod.Spec.SecurityContext?.SupplementalGroupsPolicy == "Strict" && runtime?.Invoke().StrictGroups == false
        ? new AdmissionVerdict(false, "SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node")
        : null;

    private static AdmissionVerdict Unsupported(string field) => new(false, "UnexpectedAdmissionError", $"{field} is not supported by this node");

    private static AdmissionVerdict? OperatingSystem(V1Pod pod)
    {
        if (pod.Spec.Os is { Name: { } os } && os != "linux")
        {
            return new AdmissionVerdict(false, "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS");
        }

        return pod.Spec.NodeSelector is { } s && s.TryGetValue("kubernetes.io/os", out var label) && label != "linux"
            ? new AdmissionVerdict(false, "PodOSSelectorNodeLabelDoesNotMatch", "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label")
            : null;
    }

    private AdmissionVerdict? Fits(V1Pod pod, IReadOnlyList<V1Pod> others)
    {
        var maxPods = resources.AllocatableOf("pods");
        if (others.Count + 1 > maxPods)
        {
            return OutOf("pods", 1, others.Count, maxPods);
        }

        var used = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var other in others)
        {
            Quantities.Add(used, PodResources.Requests(other));
        }

        foreach (var (name, requested) in PodResources.Requests(pod))
        {
            var allocatable = AllocatableOf(name);
            if (requested > 0 && used.Get(name) + requested > allocatable)
            {
                var scale = name == ResourceNames.Cpu ? 1000 : 1;
                return OutOf(name, requested * scale, used.Get(name) * scale, allocatable * scale);
            }
        }

        return null;
    }

    // What others have given the node (extended resources) is told by its object alone.
    private decimal AllocatableOf(string name) => node()?.Status?.Capacity is { } given && name.Contains('/', StringComparison.Ordinal) && given.TryGetValue(name, out var amount)
        ? amount.ToDecimal()
        : resources.AllocatableOf(name);

    private static AdmissionVerdict OutOf(string resource, decimal requested, decimal used, decimal capacity) => new(
        false,
        "OutOf" + resource,
        string.Create(
            CultureInfo.InvariantCulture,
            $"Node didn't have enough resource: {resource}, requested: {Quantities.Value(requested)}, used: {Quantities.Value(used)}, capacity: {Quantities.Value(capacity)}"));

    private static AdmissionVerdict? Ports(V1Pod pod, IReadOnlyList<V1Pod> others)
    {
        var wanted = HostPorts(pod).ToList();
        foreach (var other in others)
        {
            if (HostPorts(other).Any(o => wanted.Any(w => Collide(o, w))))
            {
                return Predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
            }
        }

        return null;
    }

    private static bool Collide((string Ip, string Protocol, int Port) a, (string Ip, string Protocol, int Port) b) =>
        a.Port == b.Port && a.Protocol == b.Protocol && (a.Ip == b.Ip || a.Ip == "0.0.0.0" || b.Ip == "0.0.0.0");

    private static IEnumerable<(string Ip, string Protocol, int Port)> HostPorts(V1Pod pod)
    {
        var longLived = (pod.Spec.InitContainers ?? []).Where(PodResources.IsSidecar).Concat(pod.Spec.Containers ?? []);
        return longLived.SelectMany(c => c.Ports ?? [])
            .Where(p => p.HostPort is > 0)
            .Select(p => (string.IsNullOrEmpty(p.HostIP) ? "0.0.0.0" : p.HostIP, p.Protocol ?? "TCP", p.HostPort!.Value));
    }

    private AdmissionVerdict? Selector(V1Pod pod)
    {
        if (node() is not { } mine)
        {
            return null;
        }

        var labels = mine.Metadata.Labels ?? new Dictionary<string, string>();
        var selected = (pod.Spec.NodeSelector ?? new Dictionary<string, string>()).All(s => labels.TryGetValue(s.Key, out var value) && value == s.Value);
        var terms = pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms;
        return selected && (terms is null || terms.Any(t => NodeTerms.Matches(t, mine)))
            ? null
            : Predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
    }

    private AdmissionVerdict? Taints(V1Pod pod, PodOrigin origin)
    {
        if (origin == PodOrigin.Static || node()?.Spec?.Taints is not { } taints)
        {
            return null;
        }

        return taints.Any(t => t.Effect == "NoExecute" && !NodeTerms.Tolerates(pod, t))
            ? Predicate("TaintToleration", "node(s) had untolerated taint(s)")
            : null;
    }

    private static AdmissionVerdict Predicate(string name, string message) => new(false, name, $"Predicate {name} failed: {message}");
}
