using System.Text.Json.Nodes;
using Podhost.Api.Yaml;

namespace Podhost.Api.Tests;

/// <summary>Golden cases: a YAML stream a case, under tests/cases/api/SUITE. The first document describes the case.</summary>
internal static class GoldenCases
{
    public static string Directory(string suite)
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (File.Exists(Path.Combine(d.FullName, "Podhost.slnx")))
            {
                return Path.Combine(d.FullName, "tests", "cases", "api", suite);
            }
        }

        throw new InvalidOperationException("no Podhost.slnx above the tests");
    }

    public static TheoryData<string> Names(string suite)
    {
        var names = System.IO.Directory.GetFiles(Directory(suite), "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order().ToArray();
        Assert.NotEmpty(names);
        return [.. names];
    }

    public static IReadOnlyList<JsonObject> Read(string suite, string name) =>
        [.. YamlReader.ReadAll(File.ReadAllText(Path.Combine(Directory(suite), name + ".yaml"))).Cast<JsonObject>()];

    public static void AssertSame(JsonNode? expected, JsonNode? actual)
    {
        if (!JsonNode.DeepEquals(expected, actual))
        {
            Assert.Equal(YamlWriter.Write(expected), YamlWriter.Write(actual));
            Assert.Fail("the documents differ: " + actual?.ToJsonString());
        }
    }
}
