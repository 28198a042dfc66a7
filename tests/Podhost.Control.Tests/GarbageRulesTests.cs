using k8s.Models;
using Podhost.Api.Resources;
using Podhost.Control.Controllers.GarbageCollector;
using Podhost.Control.Objects;

namespace Podhost.Control.Tests;

public sealed class GarbageRulesTests
{
    private static readonly V1OwnerReference A = new() { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", Uid = "a" };
    private static readonly V1OwnerReference B = new() { ApiVersion = "v1", Kind = "ConfigMap", Name = "b", Uid = "b" };

    [Fact]
    public void What_has_no_owner_stays() => Assert.IsType<GarbageAction.Keep>(GarbageRules.Decide(Obj("x"), [], []));

    [Fact]
    public void What_all_owners_left_is_deleted() =>
        Assert.Equal(new GarbageAction.Delete("Background"), GarbageRules.Decide(Obj("x"), [(A, OwnerState.Absent), (B, OwnerState.Absent)], []));

    [Fact]
    public void One_living_owner_keeps_it_and_references_to_the_gone_are_dropped() =>
        Assert.Equal(["a"], Assert.IsType<GarbageAction.DropOwners>(GarbageRules.Decide(Obj("x"), [(A, OwnerState.Absent), (B, OwnerState.Solid)], [])).Uids);

    [Fact]
    public void A_dependent_of_a_waiting_owner_goes_in_the_foreground_where_others_depend_on_it() =>
        Assert.Equal(new GarbageAction.Delete("Foreground"), GarbageRules.Decide(Obj("x"), [(A, OwnerState.Waiting)], [Obj("y")]));

    [Fact]
    public void A_circle_of_owners_is_broken_where_it_closes() =>
        Assert.Equal(
            new GarbageAction.Delete("Foreground", Unblocks: true),
            GarbageRules.Decide(Obj("x"), [(A, OwnerState.Waiting)], [Obj("y", deleting: true, finalizer: "foregroundDeletion")]));

    [Fact]
    public void A_foreground_deletion_waits_for_those_that_block_it_only()
    {
        var owner = Obj("a", deleting: true, finalizer: "foregroundDeletion");
        Assert.IsType<GarbageAction.Keep>(GarbageRules.Decide(owner, [], [Obj("x", owner: "a", blocks: true)]));
        Assert.IsType<GarbageAction.FinishForeground>(GarbageRules.Decide(owner, [], [Obj("x", owner: "a", blocks: false)]));
    }

    [Fact]
    public void Orphaning_comes_before_anything_else() =>
        Assert.IsType<GarbageAction.Orphan>(GarbageRules.Decide(Obj("a", deleting: true, finalizer: "orphan"), [], [Obj("x", owner: "a")]));

    [Fact]
    public void The_end_of_an_owner_touches_its_dependents_and_noise_touches_nobody()
    {
        var graph = new OwnershipGraph();
        graph.Apply(null, Obj("a"));
        Assert.Equal(["a", "x"], graph.Apply(null, Obj("x", owner: "a")).Order());
        Assert.Empty(graph.Apply(Obj("x", owner: "a"), Obj("x", owner: "a")));
        Assert.Equal(["x"], graph.Apply(Obj("a"), null));
        Assert.Equal("x", Assert.Single(graph.Dependents("a")).Uid);
        graph.Apply(Obj("x", owner: "a"), null);
        Assert.Empty(graph.Dependents("a"));
    }

    private static ObjectIdentity Obj(string uid, string? owner = null, bool blocks = false, bool deleting = false, string? finalizer = null) =>
        new(ResourceTable.For<V1ConfigMap>(), new V1ObjectMeta
        {
            Name = uid,
            NamespaceProperty = "default",
            Uid = uid,
            DeletionTimestamp = deleting ? new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) : null,
            Finalizers = finalizer is null ? null : [finalizer],
            OwnerReferences = owner is null ? null : [new V1OwnerReference { ApiVersion = "v1", Kind = "ConfigMap", Name = owner, Uid = owner, BlockOwnerDeletion = blocks }],
        });
}
