using System.Text.Json.Nodes;
using CsCheck;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.FieldManagement;
using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.Api.Tests.FieldManagement;

public class FieldOwnershipPropertyTests
{
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly SchemaScope Scope = SchemaScope.Of(SchemaCatalog.Get(Pods.SchemaName));
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<string> Word = Gen.OneOf("a", "b", "c");

    // Empty lists and maps are left out: pruning cannot tell them from what it emptied itself.
    private static readonly Gen<JsonObject> Container = Gen.Select(
        Word, Word.Array[0, 1], Word.Array[0, 2], Gen.Int[1, 3].Array[0, 3], Word.Array[0, 2],
        (name, image, args, ports, env) =>
        {
            var c = new JsonObject { ["name"] = name };
            Put(c, "image", image.Length == 0 ? null : image[0]);
            Put(c, "args", List(args, a => a));
            Put(c, "ports", List(ports.Distinct(), p => new JsonObject { ["containerPort"] = p }));
            Put(c, "env", List(env.Distinct(), e => new JsonObject { ["name"] = e, ["value"] = e }));
            return c;
        });

    private static readonly Gen<JsonObject> Config = Gen.Select(
        Gen.Dictionary(Word, Word)[0, 3], Word.Array[0, 3], Container.Array[0, 3], Gen.Dictionary(Word, Word)[0, 2],
        (labels, finalizers, containers, nodeSelector) =>
        {
            var metadata = new JsonObject { ["name"] = "p" };
            Put(metadata, "labels", Map(labels));
            Put(metadata, "finalizers", List(finalizers.Distinct(), f => f));
            var spec = new JsonObject();
            Put(spec, "containers", List(containers.DistinctBy(c => (string)c["name"]!), c => c.DeepClone()));
            Put(spec, "nodeSelector", Map(nodeSelector));
            var pod = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = metadata };
            Put(pod, "spec", spec.Count == 0 ? null : spec);
            return pod;
        });

    [Fact]
    public void ApplyIsIdempotent() => Gen.Select(Config, Config).Sample((first, second) =>
    {
        var live = Apply(Apply(null, first, "a"), second, "b");
        return JsonNode.DeepEquals(live, Apply(live, second, "b"));
    });

    [Fact]
    public void AloneAManagerGetsExactlyWhatItApplied() => Gen.Select(Config, Config).Sample((first, second) =>
        JsonNode.DeepEquals(Sorted(Bare(Apply(Apply(null, first, "a"), second, "a"))), Sorted(second)));

    [Fact]
    public void WhatIsAppliedIsInTheResult() => Gen.Select(Config, Config).Sample((first, second) =>
    {
        var result = Apply(Apply(null, first, "a"), second, "b");
        var change = ObjectComparison.Compare(Scope, second, Bare(result));
        return change.Modified.IsEmpty && change.Removed.IsEmpty;
    });

    [Fact]
    public void WithdrawingRestoresTheOther() => Gen.Select(Config, Config).Sample((first, second) =>
    {
        var before = Apply(null, first, "a");
        JsonObject both;
        try
        {
            both = FieldManager.Apply(Pods, before, second, "b", force: false, Noon);
        }
        catch (ApiException)
        {
            return true; // A conflict: nothing was applied.
        }

        var nothing = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = "p" } };
        return JsonNode.DeepEquals(Sorted(Bare(before)), Sorted(Bare(Apply(both, nothing, "b"))));
    });

    [Fact]
    public void EveryAppliedFieldHasAnOwner() => Gen.Select(Config, Config, Config).Sample((a, b, c) =>
    {
        var live = Apply(Apply(Apply(null, a, "a"), b, "b"), c, "a");
        var owned = ManagedFields.Read(live["metadata"]!["managedFields"] as JsonArray)!.Managers.Values
            .Aggregate(FieldSet.Empty, (s, m) => s.Union(m.Set));
        var all = FieldSetBuilder.Build(Scope, Bare(live)).Difference(UntrackedFields.ServerSet);
        return all.Difference(owned).IsEmpty;
    });

    [Fact]
    public void AnUpdateIsOwnedByItsWriter() => Gen.Select(Config, Config).Sample((first, second) =>
    {
        var live = Apply(null, first, "a");
        if (live["metadata"]!["managedFields"] is null)
        {
            return true; // Nothing was applied but the name: not tracked.
        }

        var next = FieldManager.Update(Pods, live, second, "u", null, Noon);
        var managed = ManagedFields.Read(next["metadata"]!["managedFields"] as JsonArray)!;
        var change = ObjectComparison.Compare(Scope, Bare(live), second).Changed.Difference(UntrackedFields.ServerSet);
        var writer = managed.Managers.SingleOrDefault(m => m.Key.Manager == "u").Value?.Set ?? FieldSet.Empty;
        return writer.SameAs(change) && managed.Managers.Where(m => m.Key.Manager != "u").All(m => m.Value.Set.Intersection(change).IsEmpty);
    });

    [Fact]
    public void FieldSetsSurviveTheirJson() => Config.Sample(c =>
    {
        var set = FieldSetBuilder.Build(Scope, c);
        return FieldsV1.Read(FieldsV1.Write(set))!.SameAs(set);
    });

    [Fact]
    public void SetAlgebra() => Gen.Select(Config, Config).Sample((a, b) =>
    {
        var (x, y) = (FieldSetBuilder.Build(Scope, a), FieldSetBuilder.Build(Scope, b));
        return x.Difference(y).Union(x.Intersection(y)).SameAs(x)
            && x.Union(y).SameAs(y.Union(x))
            && x.Union(y).Difference(y).SameAs(x.Difference(y))
            && x.Difference(x).IsEmpty && x.Intersection(x).SameAs(x);
    });

    private static JsonObject Apply(JsonObject? live, JsonObject config, string manager) =>
        FieldManager.Apply(Pods, live, config, manager, force: true, Noon);

    private static JsonObject Bare(JsonObject obj)
    {
        var copy = (JsonObject)obj.DeepClone();
        copy["metadata"]!.AsObject().Remove("managedFields");
        return copy;
    }

    // The order of items is not what these laws are about.
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject obj => new JsonObject(obj.Select(p => KeyValuePair.Create(p.Key, p.Key == "args" ? p.Value?.DeepClone() : Sorted(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted).OrderBy(i => i!.ToJsonString(), StringComparer.Ordinal)]),
        _ => node?.DeepClone(),
    };

    private static void Put(JsonObject obj, string name, JsonNode? value)
    {
        if (value is not null)
        {
            obj[name] = value;
        }
    }

    private static JsonArray? List<T>(IEnumerable<T> items, Func<T, JsonNode> node)
    {
        var list = new JsonArray([.. items.Select(node)]);
        return list.Count == 0 ? null : list;
    }

    private static JsonObject? Map(Dictionary<string, string> map) =>
        map.Count == 0 ? null : new JsonObject(map.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)));
}
