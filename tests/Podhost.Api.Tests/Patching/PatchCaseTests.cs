using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Patching;
using Podhost.Api.Schema;

namespace Podhost.Api.Tests.Patching;

/// <summary>Cases in tests/cases/api/patch: description, original, patch, expected. A description with "error" has no expected document.</summary>
public class PatchCaseTests
{
    public static TheoryData<string> Cases => GoldenCases.Names("patch");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case(string name)
    {
        var documents = GoldenCases.Read("patch", name);
        var (about, original, patch) = (documents[0], documents[1], documents[2]);
        var before = original.DeepClone();
        if (about["error"] is { } error)
        {
            var e = Assert.Throws<ApiException>(() => Apply(about, original, patch));
            Assert.Equal(about["code"]!.GetValue<long>(), (long)e.Code);
            Assert.Contains(error.GetValue<string>(), e.Message + " " + e.Status.Details?.Causes?[0].Message, StringComparison.Ordinal);
        }
        else
        {
            GoldenCases.AssertSame(documents[3], Apply(about, original, patch));
        }

        GoldenCases.AssertSame(before, original);
    }

    private static JsonNode? Apply(JsonObject about, JsonObject original, JsonObject patch) => about["type"]!.GetValue<string>() switch
    {
        "strategic" => StrategicMergePatch.Apply(SchemaCatalog.Get("io.k8s.api." + about["schema"]!.GetValue<string>()), original, patch),
        "merge" => MergePatch.Apply(original, patch),
        "json" => JsonPatch.Apply(original, (JsonArray)patch["operations"]!),
        var other => throw new InvalidOperationException(other),
    };
}
