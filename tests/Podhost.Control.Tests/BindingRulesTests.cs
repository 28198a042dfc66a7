using k8s.Models;
using Podhost.Client.Informers;
using Podhost.Control.Controllers.PersistentVolumes;
using Podhost.Control.Scheduler;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Tests;

/// <summary>Which volume a claim gets, what phase a volume has, and what the scheduler says of claims.</summary>
public sealed class BindingRulesTests
{
    [Fact]
    public void The_smallest_volume_that_satisfies_the_claim_is_taken()
    {
        V1PersistentVolume[] volumes = [Volume("big", "10Gi"), Volume("small", "1Gi"), Volume("fits", "3Gi"), Volume("fits-too", "3Gi")];
        Assert.Equal("fits", BindingRules.Find(Claim("2Gi"), volumes, null)?.Metadata.Name);
    }

    [Fact]
    public void A_volume_that_is_reserved_for_the_claim_goes_first_and_one_of_another_claim_never()
    {
        var mine = Volume("mine", "9Gi", v => v.Spec.ClaimRef = new V1ObjectReference { NamespaceProperty = "ns", Name = "c" });
        var theirs = Volume("theirs", "1Gi", v => v.Spec.ClaimRef = new V1ObjectReference { NamespaceProperty = "ns", Name = "other" });
        var reused = Volume("reused", "1Gi", v => v.Spec.ClaimRef = new V1ObjectReference { NamespaceProperty = "ns", Name = "c", Uid = "a former one" });
        Assert.Equal("mine", BindingRules.Find(Claim("1Gi"), [theirs, reused, Volume("free", "1Gi"), mine], null)?.Metadata.Name);
        Assert.Null(BindingRules.Find(Claim("1Gi"), [theirs, reused], null));
    }

    [Fact]
    public void Class_mode_access_labels_phase_and_node_must_fit()
    {
        var claim = Claim("1Gi", c =>
        {
            c.Spec.StorageClassName = "local";
            c.Spec.Selector = new V1LabelSelector { MatchExpressions = [new() { Key = "disk", OperatorProperty = "In", Values = ["ssd"] }] };
        });
        V1PersistentVolume Good(string name, Action<V1PersistentVolume>? change = null) => Volume(name, "1Gi", v =>
        {
            v.Spec.StorageClassName = "local";
            v.Metadata.Labels = new Dictionary<string, string> { ["disk"] = "ssd" };
            v.Spec.NodeAffinity = OnNode("a");
            change?.Invoke(v);
        });
        V1PersistentVolume[] wrong =
        [
            Good("class", v => v.Spec.StorageClassName = null), Good("mode", v => v.Spec.VolumeMode = "Block"), Good("access", v => v.Spec.AccessModes = ["ReadOnlyMany"]),
            Good("labels", v => v.Metadata.Labels = null), Good("phase", v => v.Status.Phase = "Released"), Good("deleted", v => v.Metadata.DeletionTimestamp = DateTime.UnixEpoch),
            Good("node", v => v.Spec.NodeAffinity = OnNode("b")),
        ];
        Assert.All(wrong, v => Assert.Null(BindingRules.Find(claim, [v], Objects.Node("a"))));
        Assert.Equal("good", BindingRules.Find(claim, [.. wrong, Good("good")], Objects.Node("a"))?.Metadata.Name);
    }

    [Theory]
    [InlineData("Retain", "Released", null)]
    [InlineData("Delete", "Failed", "error getting deleter volume plugin for volume \"v\": no deletable volume plugin matched")]
    [InlineData("Recycle", "Failed", "Failed to recycle volume: Recycle is not supported; use Retain")]
    public void The_phase_after_the_claim_says_what_becomes_of_the_volume(string policy, string phase, string? message)
    {
        var volume = Volume("v", "1Gi", v => v.Spec.PersistentVolumeReclaimPolicy = policy);
        Assert.Equal("Available", VolumePhases.Of(volume, null).Phase);
        volume.Spec.ClaimRef = new V1ObjectReference { NamespaceProperty = "ns", Name = "c", Uid = "u" };
        Assert.Equal("Bound", VolumePhases.Of(volume, Claim("1Gi")).Phase);
        Assert.Equal((phase, message), (VolumePhases.Of(volume, null).Phase, VolumePhases.Of(volume, null).Message));
        Assert.Equal(phase, VolumePhases.Of(volume, Claim("1Gi", c => c.Metadata.Uid = "a new one")).Phase);
    }

    [Fact]
    public void The_scheduler_says_what_is_wrong_with_a_claim()
    {
        Assert.Equal("0/1 nodes are available: persistentvolumeclaim \"c\" not found.", Decide(null, []));
        Assert.Equal("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", Decide(Claim("1Gi"), []));
        var delayed = Claim("1Gi", c => c.Spec.StorageClassName = "delayed");
        var there = Volume("v", "1Gi", v => (v.Spec.StorageClassName, v.Spec.NodeAffinity) = ("delayed", OnNode("a")));
        var elsewhere = Volume("v", "1Gi", v => (v.Spec.StorageClassName, v.Spec.NodeAffinity) = ("delayed", OnNode("b")));
        Assert.Equal("0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.", Decide(delayed, [elsewhere]));
        Assert.Equal("a", Decide(delayed, [there]));
        var bound = Claim("1Gi", c => (c.Spec.VolumeName, c.Status) = ("v", new V1PersistentVolumeClaimStatus { Phase = "Bound" }));
        Assert.Equal("0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity.", Decide(bound, [elsewhere]));
        Assert.Equal("a", Decide(bound, [there]));
    }

    [Fact]
    public void A_claim_for_one_pod_is_not_given_to_a_second_anywhere()
    {
        var volume = Volume("v", "1Gi", v => v.Spec.NodeAffinity = OnNode("a"));
        var bound = Claim("1Gi", c =>
        {
            (c.Spec.VolumeName, c.Status) = ("v", new V1PersistentVolumeClaimStatus { Phase = "Bound" });
            c.Spec.AccessModes = ["ReadWriteOncePod"];
        });
        var user = PodOf("user");
        user.Spec.NodeName = "a";
        Assert.Equal(
            "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.", Decide(bound, [volume], user));
        user.Status = new V1PodStatus { Phase = "Succeeded" };
        Assert.Equal("a", Decide(bound, [volume], user));
        user.Status = null;
        Assert.Equal("a", Decide(Claim("1Gi", c => (c.Spec.VolumeName, c.Status) = ("v", bound.Status)), [volume], user));
        user.Metadata.NamespaceProperty = "other";
        Assert.Equal("a", Decide(bound, [volume], user));
    }

    private static V1Pod PodOf(string name)
    {
        var pod = Objects.Asking(name, "1", "1Mi");
        pod.Metadata.NamespaceProperty = "ns";
        pod.Spec.Volumes = [new V1Volume { Name = "data", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = "c" } }];
        return pod;
    }

    private static string Decide(V1PersistentVolumeClaim? claim, V1PersistentVolume[] volumes, params V1Pod[] others)
    {
        var storage = new StorageView(
            claim is null ? [] : new Dictionary<ObjectKey, V1PersistentVolumeClaim> { [new ObjectKey("ns", "c")] = claim },
            volumes,
            new Dictionary<string, V1StorageClass> { ["delayed"] = new() { VolumeBindingMode = "WaitForFirstConsumer" } });
        var result = SchedulingDecider.Decide(new PodView(PodOf("p")), ClusterView.Build([Objects.Node("a")], others.Select(o => new PodView(o)), new Dictionary<string, string>(), [], storage));
        return result.NodeName ?? result.Message;
    }

    private static V1VolumeNodeAffinity OnNode(string name) => new()
    {
        Required = new V1NodeSelector
        {
            NodeSelectorTerms = [new V1NodeSelectorTerm { MatchFields = [new V1NodeSelectorRequirement { Key = "metadata.name", OperatorProperty = "In", Values = [name] }] }],
        },
    };

    private static V1PersistentVolume Volume(string name, string size, Action<V1PersistentVolume>? change = null)
    {
        var volume = new V1PersistentVolume
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1PersistentVolumeSpec { Capacity = new Dictionary<string, ResourceQuantity> { ["storage"] = new(size) }, AccessModes = ["ReadWriteOnce"] },
            Status = new V1PersistentVolumeStatus { Phase = "Available" },
        };
        change?.Invoke(volume);
        return volume;
    }

    private static V1PersistentVolumeClaim Claim(string size, Action<V1PersistentVolumeClaim>? change = null)
    {
        var claim = new V1PersistentVolumeClaim
        {
            Metadata = new V1ObjectMeta { Name = "c", NamespaceProperty = "ns", Uid = "u" },
            Spec = new V1PersistentVolumeClaimSpec
            {
                AccessModes = ["ReadWriteOnce"],
                Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new(size) } },
            },
        };
        change?.Invoke(claim);
        return claim;
    }
}
