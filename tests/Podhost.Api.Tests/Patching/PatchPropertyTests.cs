using System.Text.Json.Nodes;
using CsCheck;
using Podhost.Api.Errors;
using Podhost.Api.Patching;
using Podhost.Api.Schema;

namespace Podhost.Api.Tests.Patching;

public class PatchPropertyTests
{
    private static readonly Gen<string> Key = Gen.OneOf("a", "b", "c", "d");

    private static readonly Gen<string> Json = Gen.Recursive<string>((depth, inner) => depth > 3
        ? Gen.OneOf("1", "\"x\"", "true")
        : Gen.OneOf(
            Gen.OneOf("1", "2", "\"x\"", "true", "[1,2]"),
            Gen.Select(Key, inner).List[0, 3].Select(ps => "{" + string.Join(',', ps.DistinctBy(p => p.Item1).Select(p => $"\"{p.Item1}\":{p.Item2}")) + "}")));

    [Fact]
    public void MergePatchIsIdempotent() => Gen.Select(Json, Json).Sample((a, p) =>
    {
        var once = MergePatch.Apply(JsonNode.Parse(a), JsonNode.Parse(p));
        var twice = MergePatch.Apply(once, JsonNode.Parse(p));
        return JsonNode.DeepEquals(once, twice);
    });

    [Fact]
    public void MergePatchOfADocumentWithItselfChangesNothing() => Json.Sample(a =>
        JsonNode.DeepEquals(JsonNode.Parse(a), MergePatch.Apply(JsonNode.Parse(a), JsonNode.Parse(a))));

    [Fact]
    public void JsonPatchReplaceOfTheRootIsTheValue() => Gen.Select(Json, Json).Sample((a, b) =>
        JsonNode.DeepEquals(
            JsonNode.Parse(b),
            JsonPatch.Apply(JsonNode.Parse(a)!, [new JsonObject { ["op"] = "replace", ["path"] = "", ["value"] = JsonNode.Parse(b) }])));

    [Fact]
    public void StrategicPatchIsIdempotentAndKeepsUntouchedContainers() => Gen.Select(Containers, Containers).Sample((original, patch) =>
    {
        var type = SchemaCatalog.Get("io.k8s.api.core.v1.Pod");
        var once = StrategicMergePatch.Apply(type, Pod(original), Pod(patch));
        var twice = StrategicMergePatch.Apply(type, once, Pod(patch));
        var names = once["spec"]!["containers"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()).ToList();
        return JsonNode.DeepEquals(once, twice)
            && names.ToHashSet().SetEquals(original.Concat(patch).Select(c => c.Name))
            && names.Count == names.Distinct().Count()
            && patch.All(p => once["spec"]!["containers"]!.AsArray().Single(c => c!["name"]!.GetValue<string>() == p.Name)!["image"]!.GetValue<string>() == p.Image);
    });

    [Fact]
    public void TooManyOperationsAreRefused()
    {
        var patch = new JsonArray();
        for (var i = 0; i <= JsonPatch.MaxOperations; i++)
        {
            patch.Add(new JsonObject { ["op"] = "test", ["path"] = "", ["value"] = 1 });
        }

        Assert.Equal(413, (int)Assert.Throws<ApiException>(() => JsonPatch.Apply(JsonValue.Create(1), patch)).Code);
    }

    [Fact]
    public void CopiesCannotGrowADocumentWithoutBound()
    {
        var patch = new JsonArray();
        for (var i = 0; i < 64; i++)
        {
            patch.Add(new JsonObject { ["op"] = "copy", ["from"] = "", ["path"] = "/x" + i });
        }

        Assert.Equal(413, (int)Assert.Throws<ApiException>(() => JsonPatch.Apply(new JsonObject { ["a"] = 1 }, patch)).Code);
    }

    private static readonly Gen<List<(string Name, string Image)>> Containers =
        Gen.Select(Key, Gen.OneOf("x", "y")).List[0, 4].Select(l => l.DistinctBy(c => c.Item1).ToList());

    private static JsonObject Pod(List<(string Name, string Image)> containers) => new()
    {
        ["spec"] = new JsonObject
        {
            ["containers"] = new JsonArray([.. containers.Select(c => (JsonNode)new JsonObject { ["name"] = c.Name, ["image"] = c.Image })]),
        },
    };
}
