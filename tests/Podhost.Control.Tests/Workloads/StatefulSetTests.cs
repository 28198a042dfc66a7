using CsCheck;
using k8s.Models;
using Podhost.Control.Controllers.StatefulSets;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Tests.Workloads;

/// <summary>StatefulSets on a world of pods that become ready, or end, in any order.</summary>
public sealed class StatefulSetTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly StatefulRevisions Revisions = new("web-old", "web-new");

    [Fact]
    public void Pods_come_and_go_in_order_and_an_update_stays_in_its_bounds() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 6], Gen.Int[0, 3], Gen.Int[1, 3], Gen.Bool, Gen.Int[0, 100_000]).Sample((before, after, start, unavailable, ordered, seed) =>
        {
            var set = Set(after, ordered, start, partition: 0, unavailable);
            var random = new Random(seed);
            var pods = Enumerable.Range(0, before).Select(i => Pod(set, start + i, "web-old", ready: true)).ToList();
            for (var i = 0; i < 500; i++)
            {
                var plan = StatefulSetDecider.Decide(set, pods, Revisions, Now);
                CheckOrder(set, pods, plan, ordered);
                var healthy = pods.Count(IsHealthy);
                foreach (var pod in plan.Delete)
                {
                    pod.Metadata.DeletionTimestamp = Now.UtcDateTime;
                }

                if (after >= before)
                {
                    Assert.True(pods.Count(IsHealthy) >= Math.Min(healthy, after - unavailable), "more pods missing than may be");
                }

                pods.AddRange(plan.Create.Select(m => Pod(set, m.Ordinal, m.IsUpdated ? "web-new" : "web-old", ready: false)));
                if (!Change(pods, random) && plan.Create.Count + plan.Delete.Count == 0)
                {
                    break;
                }
            }

            Assert.Equal(Enumerable.Range(start, after).Select(o => $"web-{o}"), pods.Select(p => p.Metadata.Name).Order());
            Assert.All(pods, p => Assert.Equal("web-new", StatefulIdentity.RevisionOf(p)));
        });

    [Fact]
    public void Below_the_partition_pods_stay_and_come_back_as_they_were()
    {
        var set = Set(4, ordered: true, start: 2, partition: 2, unavailable: 1);
        List<V1Pod> pods = [.. Enumerable.Range(2, 4).Select(o => Pod(set, o, "web-old", ready: true))];
        Assert.Equal(["web-5"], Names(StatefulSetDecider.Decide(set, pods, Revisions, Now).Delete));
        pods[2] = Pod(set, 4, "web-new", ready: true);
        pods[3] = Pod(set, 5, "web-new", ready: true);
        Assert.Empty(StatefulSetDecider.Decide(set, pods, Revisions, Now).Delete);
        pods.RemoveAt(0);
        Assert.Equal([new MissingPod(2, IsUpdated: false)], StatefulSetDecider.Decide(set, pods, Revisions, Now).Create);
    }

    [Fact]
    public void On_delete_replaces_nothing_but_makes_new_pods_of_the_template()
    {
        var set = Set(2, ordered: true, start: 0, partition: 0, unavailable: 1);
        set.Spec.UpdateStrategy = new V1StatefulSetUpdateStrategy { Type = "OnDelete" };
        Assert.Empty(StatefulSetDecider.Decide(set, [Pod(set, 0, "web-old", true), Pod(set, 1, "web-old", true)], Revisions, Now).Delete);
        Assert.Equal([new MissingPod(1, IsUpdated: true)], StatefulSetDecider.Decide(set, [Pod(set, 0, "web-old", true)], Revisions, Now).Create);
    }

    [Fact]
    public void A_broken_update_under_parallel_is_followed_by_a_good_one()
    {
        var set = Set(3, ordered: false, start: 0, partition: 0, unavailable: 1);
        var pods = new[] { Pod(set, 0, "web-old", true), Pod(set, 1, "web-old", true), Pod(set, 2, "web-broken", false) };
        Assert.Equal(["web-2"], Names(StatefulSetDecider.Decide(set, pods, Revisions, Now).Delete));
    }

    [Theory]
    [InlineData("Failed")]
    [InlineData("Succeeded")]
    public void A_pod_that_ended_is_replaced(string phase)
    {
        var set = Set(1, ordered: true, start: 0, partition: 0, unavailable: 1);
        var pod = Pod(set, 0, "web-new", ready: false);
        pod.Status.Phase = phase;
        Assert.Equal(["web-0"], Names(StatefulSetDecider.Decide(set, [pod], Revisions, Now).Delete));
        pod.Metadata.DeletionTimestamp = Now.UtcDateTime;
        Assert.Empty(StatefulSetDecider.Decide(set, [pod], Revisions, Now).Delete);
    }

    [Fact]
    public void Min_ready_seconds_hold_the_next_pod_back_and_wake()
    {
        var set = Set(2, ordered: true, start: 0, partition: 0, unavailable: 1);
        set.Spec.MinReadySeconds = 10;
        var pod = Pod(set, 0, "web-new", ready: true);
        pod.Status.Conditions[0].LastTransitionTime = Now.UtcDateTime.AddSeconds(-4);
        var plan = StatefulSetDecider.Decide(set, [pod], Revisions, Now);
        Assert.Empty(plan.Create);
        Assert.Equal(TimeSpan.FromSeconds(6), plan.WakeAfter);
        Assert.Single(StatefulSetDecider.Decide(set, [pod], Revisions, Now.AddSeconds(6)).Create);
    }

    [Fact]
    public void A_huge_set_is_made_step_by_step()
    {
        var set = Set(int.MaxValue, ordered: false, start: int.MaxValue, partition: 0, unavailable: 1);
        Assert.Equal(StatefulSetDecider.Burst, StatefulSetDecider.Decide(set, [], Revisions, Now).Create.Count);
    }

    [Fact]
    public void The_status_counts_revisions_and_ends_an_update()
    {
        var set = Set(2, ordered: true, start: 0, partition: 0, unavailable: 1);
        set.Metadata.Generation = 3;
        var halfway = StatefulStatus.Of(set, [Pod(set, 0, "web-old", true), Pod(set, 1, "web-new", false)], Revisions, 0, Now);
        Assert.Equal((2, 1, 1, 1, 1), (halfway.Replicas, halfway.ReadyReplicas, halfway.AvailableReplicas, halfway.CurrentReplicas, halfway.UpdatedReplicas));
        Assert.Equal(("web-old", "web-new", 3L), (halfway.CurrentRevision, halfway.UpdateRevision, halfway.ObservedGeneration));
        var done = StatefulStatus.Of(set, [Pod(set, 0, "web-new", true), Pod(set, 1, "web-new", true)], Revisions, 0, Now);
        Assert.Equal(("web-new", 2, 2), (done.CurrentRevision, done.CurrentReplicas, done.UpdatedReplicas));
    }

    [Fact]
    public void A_pod_has_its_name_host_labels_and_claims()
    {
        var set = Set(1, ordered: true, start: 0, partition: 0, unavailable: 1);
        set.Spec.ServiceName = "peers";
        set.Spec.VolumeClaimTemplates = [new V1PersistentVolumeClaim { Metadata = new V1ObjectMeta { Name = "data" }, Spec = new V1PersistentVolumeClaimSpec() }];
        set.Spec.Template.Spec.Volumes = [new V1Volume { Name = "data", EmptyDir = new V1EmptyDirVolumeSource() }, new V1Volume { Name = "tmp", EmptyDir = new V1EmptyDirVolumeSource() }];
        var pod = StatefulIdentity.Make(set, new V1OwnerReference(), set.Spec.Template, "web-abc", 7);
        Assert.Equal(("web-7", "web-7", "peers"), (pod.Metadata.Name, pod.Spec.Hostname, pod.Spec.Subdomain));
        Assert.Equal(("web-7", "7", "web-abc"), (pod.Metadata.Labels[StatefulIdentity.PodName], pod.Metadata.Labels[StatefulIdentity.PodIndex], pod.Metadata.Labels["controller-revision-hash"]));
        Assert.Equal(["data", "tmp"], pod.Spec.Volumes.Select(v => v.Name));
        Assert.Equal("data-web-7", pod.Spec.Volumes[0].PersistentVolumeClaim.ClaimName);
        Assert.Equal("web", Assert.Single(StatefulIdentity.ClaimsOf(set, 7)).Metadata.Labels["app"]);
        Assert.Equal(7, StatefulIdentity.OrdinalOf(set, pod));
        pod.Metadata.Name = "web-07";
        Assert.Null(StatefulIdentity.OrdinalOf(set, pod));
    }

    [Theory]
    [InlineData("Retain", "Retain", false, "")]
    [InlineData("Retain", "Delete", false, "StatefulSet")]
    [InlineData("Retain", "Delete", true, "StatefulSet")]
    [InlineData("Delete", "Retain", false, "")]
    [InlineData("Delete", "Retain", true, "Pod")]
    [InlineData("Delete", "Delete", false, "StatefulSet")]
    [InlineData("Delete", "Delete", true, "Pod")]
    public void Claims_are_owned_as_their_policy_says(string scaled, string deleted, bool isScaledDown, string owner)
    {
        var set = Set(1, ordered: true, start: 0, partition: 0, unavailable: 1);
        set.Spec.PersistentVolumeClaimRetentionPolicy = new V1StatefulSetPersistentVolumeClaimRetentionPolicy { WhenScaled = scaled, WhenDeleted = deleted };
        var pod = Pod(set, 0, "web-new", ready: true);
        var claim = new V1PersistentVolumeClaim { Metadata = new V1ObjectMeta { Name = "data-web-0" } };
        var references = ClaimRetention.Decide(set, pod, isScaledDown, claim);
        Assert.Equal(owner, references is null ? "" : Assert.Single(references).Kind);
        claim.Metadata.OwnerReferences = [.. references ?? []];
        Assert.Null(ClaimRetention.Decide(set, pod, isScaledDown, claim));

        // The next pod of that name does not get what goes with the last one.
        Assert.Equal(owner == "Pod", ClaimRetention.IsOfFormerPod(claim, "web-0"));
    }

    [Fact]
    public void A_template_that_is_back_is_the_newest_revision_again()
    {
        var set = Set(1, ordered: true, start: 0, partition: 0, unavailable: 1);
        var first = RevisionRules.Make(set, new V1OwnerReference(), set.Spec.Template, 1, 0);
        set.Spec.Template.Spec.Containers[0].Image = "y";
        Assert.Equal(new RevisionPlan(null, 2), RevisionRules.Decide([first], RevisionRules.DataOf(set.Spec.Template)));
        var second = RevisionRules.Make(set, new V1OwnerReference(), set.Spec.Template, 2, 0);
        Assert.NotEqual(first.Metadata.Name, second.Metadata.Name);
        Assert.Equal(new RevisionPlan(second, 2), RevisionRules.Decide([first, second], RevisionRules.DataOf(second)));
        Assert.Equal(new RevisionPlan(first, 3), RevisionRules.Decide([first, second], RevisionRules.DataOf(first)));
        Assert.Equal("x", RevisionRules.TemplateOf(first)!.Spec.Containers[0].Image);
        Assert.Equal(["web-"], RevisionRules.Surplus([first, second], new HashSet<string> { second.Metadata.Name }, 0).Select(r => r.Metadata.Name[..4]));
        Assert.Empty(RevisionRules.Surplus([first, second], new HashSet<string> { second.Metadata.Name }, 1));
        Assert.NotEqual(first.Metadata.Name, RevisionRules.Make(set, new V1OwnerReference(), RevisionRules.TemplateOf(first)!, 1, 1).Metadata.Name);
    }

    private static void CheckOrder(V1StatefulSet set, List<V1Pod> pods, StatefulPlan plan, bool ordered)
    {
        if (!ordered)
        {
            return;
        }

        Assert.True(plan.Create.Count <= 1, "pods come one by one");
        foreach (var missing in plan.Create)
        {
            Assert.All(Enumerable.Range(set.Spec.Ordinals.Start!.Value, (int)missing.Ordinal - set.Spec.Ordinals.Start.Value), o => Assert.Contains(pods, p => p.Metadata.Name == $"web-{o}" && IsHealthy(p)));
        }
    }

    // One thing happens to one pod; false where nothing is left to happen.
    private static bool Change(List<V1Pod> pods, Random random)
    {
        var open = pods.Where(p => !IsHealthy(p)).ToList();
        if (open.Count == 0)
        {
            return false;
        }

        var pod = open[random.Next(open.Count)];
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            pods.Remove(pod);
        }
        else if (random.Next(8) == 0 && pod.Status.Phase == "Pending")
        {
            pod.Status.Phase = "Failed";
        }
        else if (pod.Status.Phase == "Pending")
        {
            (pod.Status.Phase, pod.Status.Conditions[0].Status) = ("Running", "True");
        }

        return true;
    }

    private static bool IsHealthy(V1Pod pod) => pod.Metadata.DeletionTimestamp is null && pod.Status.Phase == "Running" && pod.Status.Conditions[0].Status == "True";

    private static IEnumerable<string> Names(IEnumerable<V1Pod> pods) => pods.Select(p => p.Metadata.Name);

    private static V1StatefulSet Set(int replicas, bool ordered, int start, int partition, int unavailable) => new()
    {
        Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "default", Uid = "set" },
        Spec = new V1StatefulSetSpec
        {
            Replicas = replicas,
            PodManagementPolicy = ordered ? "OrderedReady" : "Parallel",
            Ordinals = new V1StatefulSetOrdinals { Start = start },
            Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "web" } },
            UpdateStrategy = new V1StatefulSetUpdateStrategy
            {
                Type = "RollingUpdate", RollingUpdate = new V1RollingUpdateStatefulSetStrategy { Partition = partition, MaxUnavailable = $"{unavailable}" },
            },
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "web" } },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "c", Image = "x" }] },
            },
        },
    };

    private static V1Pod Pod(V1StatefulSet set, long ordinal, string revision, bool ready) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = StatefulIdentity.PodNameOf(set, ordinal), NamespaceProperty = "default", Uid = $"{ordinal}-{Guid.NewGuid()}",
            Labels = new Dictionary<string, string> { ["controller-revision-hash"] = revision },
        },
        Spec = new V1PodSpec(),
        Status = new V1PodStatus { Phase = ready ? "Running" : "Pending", Conditions = [new V1PodCondition { Type = "Ready", Status = ready ? "True" : "False" }] },
    };
}
