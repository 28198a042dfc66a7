using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Node;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.PodConfig;

/// <summary>What the configuration room knows must reach the node's admission: a pod is refused before anything of it is made.</summary>
public sealed class AdmissionTests
{
    [Theory]
    [InlineData("securityContext: {sysctls: [{name: kernel.sem, value: \"1\"}]}", "SysctlForbidden", "forbidden sysctl: \"kernel.sem\" not allowlisted")]
    [InlineData("volumes: [{name: v, nfs: {server: s, path: p}}]", "UnexpectedAdmissionError", "spec.volumes[0].nfs: nfs volumes are not supported by this node")]
    public void A_pod_that_cannot_be_honoured_is_rejected(string spec, string reason, string message)
    {
        var admission = new NodeAdmission(new NodeJudgement(Objects.Node(), () => null, ["kernel.msg*"], () => []));
        var verdict = admission.Admit(Objects.Pod("containers: [{name: a}]\n" + spec), default!)!;
        Assert.Equal((false, reason, message), (verdict.Admitted, verdict.Reason, verdict.Message));
    }

    [Theory]
    [InlineData("containerd", "1.6.20~ds1", false)]
    [InlineData("containerd", "v2.0.5", false)]
    [InlineData("containerd", "v2.1.0-rc.1", true)]
    [InlineData("cri-o", "1.30.2", false)]
    [InlineData("cri-o", "1.31.0", true)]
    [InlineData("other", "0.1", true)]
    [InlineData("containerd", "", true)]
    public void Image_volumes_are_refused_where_the_runtime_is_known_to_have_none(string name, string version, bool has)
    {
        var traits = RuntimeTraits.Of(new VersionResponse { RuntimeName = name, RuntimeVersion = version }, new StatusResponse());
        var admission = new NodeAdmission(new NodeJudgement(Objects.Node(), () => null, [], () => [], () => traits));
        var verdict = admission.Admit(Objects.Pod("containers: [{name: a}]\nvolumes: [{name: v, image: {reference: x}}]"), PodOrigin.Api)!;
        Assert.Equal(has ? "" : "spec.volumes[0].image: image volumes are not supported by the runtime of this node", verdict.Message);
    }

    [Theory]
    [InlineData(true, "Strict", "")]
    [InlineData(false, "Merge", "")]
    [InlineData(false, "Strict", "SupplementalGroupsPolicyNotSupported SupplementalGroupsPolicy=Strict is not supported in this node")]
    public void Strict_groups_are_refused_where_the_runtime_does_not_say_that_it_has_them(bool has, string policy, string refused)
    {
        var status = has ? new StatusResponse { Features = new RuntimeFeatures { SupplementalGroupsPolicy = true } } : new StatusResponse();
        var traits = RuntimeTraits.Of(new VersionResponse(), status);
        var admission = new NodeAdmission(new NodeJudgement(Objects.Node(), () => null, [], () => [], () => traits));
        var verdict = admission.Admit(Objects.Pod($"containers: [{{name: a}}]\nsecurityContext: {{supplementalGroupsPolicy: {policy}}}"), PodOrigin.Api)!;
        Assert.Equal(refused, $"{verdict.Reason} {verdict.Message}".Trim());
    }

    [Fact]
    public void Extended_resources_that_others_gave_the_node_are_counted()
    {
        const string Spec = "containers: [{name: a, resources: {requests: {example.com/gpu: 2}, limits: {example.com/gpu: 2}}}]";
        var node = new V1Node { Status = new V1NodeStatus { Capacity = new Dictionary<string, ResourceQuantity> { ["example.com/gpu"] = new("3"), ["cpu"] = new("9") } } };
        Assert.Equal(["example.com/gpu"], NodeStatusRules.Given(node.Status!.Capacity, Objects.Node().Capacity).Select(r => r.Key));

        var admission = new NodeAdmission(new NodeJudgement(Objects.Node(), () => node, [], () => []));
        node.Metadata = new V1ObjectMeta { Name = "node" };
        Assert.True(admission.Admit(Objects.Pod(Spec, uid: "first"), PodOrigin.Api)!.Admitted);
        var second = admission.Admit(Objects.Pod(Spec, uid: "second"), PodOrigin.Api);
        Assert.Equal(("OutOfexample.com/gpu", "Node didn't have enough resource: example.com/gpu, requested: 2, used: 2, capacity: 3"), (second!.Reason, second.Message));
    }

    [Fact]
    public void The_runtime_says_which_handlers_mount_recursively_read_only()
    {
        var status = new StatusResponse();
        status.RuntimeHandlers.Add(new RuntimeHandler { Name = "", Features = new RuntimeHandlerFeatures { RecursiveReadOnlyMounts = true } });
        status.RuntimeHandlers.Add(new RuntimeHandler { Name = "old", Features = new RuntimeHandlerFeatures() });
        status.RuntimeHandlers.Add(new RuntimeHandler { Name = "older" });
        Assert.Equal([""], RuntimeTraits.Of(new VersionResponse(), status).RecursiveReadOnly);
    }

    [Theory]
    [InlineData("MemoryPressure", "", "The node had condition: [MemoryPressure]. ")]
    [InlineData("MemoryPressure", "tolerations: [{key: node.kubernetes.io/memory-pressure, operator: Exists}]", null)]
    [InlineData("MemoryPressure", "tolerations: [{key: node.kubernetes.io/disk-pressure, operator: Exists}]", "The node had condition: [MemoryPressure]. ")]
    [InlineData("MemoryPressure", "resources: {requests: {memory: 1Mi}}", null)]
    [InlineData("DiskPressure", "resources: {requests: {memory: 1Mi}}", "The node had condition: [DiskPressure]. ")]
    [InlineData("DiskPressure", "tolerations: [{operator: Exists}]", "The node had condition: [DiskPressure]. ")]
    [InlineData("DiskPressure MemoryPressure", "resources: {requests: {memory: 1Mi}}", "The node had condition: [DiskPressure MemoryPressure]. ")]
    [InlineData("PIDPressure", "priority: 2000000000", null)]
    [InlineData("PIDPressure", "", "The node had condition: [PIDPressure]. ")]
    public void A_node_that_runs_short_takes_only_what_upstreams_takes(string conditions, string spec, string? message)
    {
        var admission = new NodeAdmission(new NodeJudgement(Objects.Node(), () => null, [], () => conditions.Split(' ')));
        var verdict = admission.Admit(Objects.Pod("containers: [{name: a}]\n" + spec), PodOrigin.Api)!;
        Assert.Equal((message is null, message is null ? "" : "Evicted", message ?? ""), (verdict.Admitted, verdict.Reason, verdict.Message));
    }

    [Fact]
    public void A_node_that_runs_short_keeps_what_an_earlier_kubelet_took_and_takes_static_pods()
    {
        var admission = new NodeAdmission(new NodeJudgement(Objects.Node(), () => null, [], () => ["DiskPressure"]));
        var known = Objects.Pod("containers: [{name: a}]");
        known.Status = new k8s.Models.V1PodStatus { StartTime = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) };
        Assert.True(admission.Admit(known, PodOrigin.Api)!.Admitted);
        var fixedPod = Objects.Pod("containers: [{name: a}]", uid: "static");
        fixedPod.Metadata.Annotations = new Dictionary<string, string> { ["kubernetes.io/config.source"] = "file" };
        Assert.True(admission.Admit(fixedPod, PodOrigin.Static)!.Admitted);
    }
}
