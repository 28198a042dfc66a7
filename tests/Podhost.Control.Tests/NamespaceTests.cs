using k8s.Models;
using Podhost.Api.Resources;
using Podhost.Control.Controllers.Namespaces;
using Podhost.Control.Objects;

namespace Podhost.Control.Tests;

public sealed class NamespaceTests
{
    private static readonly DateTime Now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void What_is_left_is_told_by_kind_and_finalizer()
    {
        var pod = new ObjectIdentity(ResourceTable.For<V1Pod>(), new V1ObjectMeta { Name = "a", Finalizers = ["example.com/wait"] });
        var conditions = NamespaceConditions.Of(new V1Namespace(), new NamespaceContent([pod, pod], []), Now).ToDictionary(c => c.Type);
        Assert.Equal("Some resources are remaining: pods. has 2 resource instances", conditions["NamespaceContentRemaining"].Message);
        Assert.Equal(
            "Some content in the namespace has finalizers remaining: example.com/wait in 2 resource instances",
            conditions["NamespaceFinalizersRemaining"].Message);
        Assert.Equal("False", conditions["NamespaceDeletionContentFailure"].Status);
        Assert.Equal(5, conditions.Count);
    }

    [Fact]
    public void A_condition_that_stays_keeps_its_transition_time()
    {
        var before = new V1Namespace { Status = new V1NamespaceStatus { Conditions = NamespaceConditions.Of(new V1Namespace(), new NamespaceContent([], []), Now) } };
        var after = NamespaceConditions.Of(before, new NamespaceContent([], ["pods: no"]), Now.AddSeconds(5)).ToDictionary(c => c.Type);
        Assert.Equal(Now, after["NamespaceContentRemaining"].LastTransitionTime);
        Assert.Equal(Now.AddSeconds(5), after["NamespaceDeletionContentFailure"].LastTransitionTime);
    }

    [Fact]
    public void Pods_go_first_and_every_namespaced_kind_that_can_be_deleted_goes_once()
    {
        var custom = ResourceTable.For<V1Pod>() with { Group = "example.com", Plural = "widgets" };
        var waves = NamespaceContent.Waves([custom, custom with { Plural = "planets", Namespaced = false }]);
        Assert.Equal("pods", Assert.Single(waves[0]).Plural);
        var all = waves.SelectMany(w => w).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.Contains(all, r => r.Plural == "endpointslices");
        Assert.Single(all, r => r.Plural == "events");
        Assert.Contains(custom, waves[1]);
        Assert.DoesNotContain(all, r => r.Plural == "planets");
    }
}
