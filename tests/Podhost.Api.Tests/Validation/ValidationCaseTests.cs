using System.Text.Json.Nodes;
using Podhost.Api.Defaulting;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.Api.Yaml;

namespace Podhost.Api.Tests.Validation;

/// <summary>Golden cases: object.yaml, old.yaml where it is a change, subresource.txt where it is made through one, errors.txt a fault a line.</summary>
/// <remarks>REWRITE_CASES=1 writes errors.txt from what the validator says; read the difference before you commit it.</remarks>
public sealed class ValidationCaseTests
{
    private static readonly string Root = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(GoldenCases.Directory("x")))!, "validation");

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Root).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void FaultsAreAsRecorded(string name)
    {
        var (expected, actual) = (Path.Combine(Root, name, "errors.txt"), string.Concat(Faults(name).Select(f => f + "\n")));
        if (Environment.GetEnvironmentVariable("REWRITE_CASES") == "1")
        {
            File.WriteAllText(expected, actual);
        }

        Assert.Equal(File.ReadAllText(expected), actual);
    }

    [Fact]
    public void ThereAreManyCases() => Assert.True(Cases.Count >= 80);

    [Fact]
    public void ConfigMapOfMoreThanAMebibyteIsTooLong()
    {
        var map = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "a", ["namespace"] = "default" },
            ["data"] = new JsonObject { ["a"] = new string('x', 1024 * 1024) },
        };
        var resource = ResourceTable.FindKind("v1", "ConfigMap")!;

        Assert.Empty(ObjectValidator.ValidateCreate(resource, map));
        map["data"]!["b"] = "x";
        Assert.Equal(": Too long: may not be more than 1048576 bytes", Assert.Single(ObjectValidator.ValidateCreate(resource, map)).ToString());
    }

    private static IReadOnlyList<FieldError> Faults(string name)
    {
        var obj = Read(Path.Combine(Root, name, "object.yaml"));
        var resource = ResourceTable.FindKind((string)obj["apiVersion"]!, (string)obj["kind"]!)!;
        ObjectDefaulter.Apply(resource, obj);
        var (oldFile, subresource) = (Path.Combine(Root, name, "old.yaml"), Path.Combine(Root, name, "subresource.txt"));
        if (!File.Exists(oldFile))
        {
            return ObjectValidator.ValidateCreate(resource, obj);
        }

        var old = Read(oldFile);
        ObjectDefaulter.Apply(resource, old);
        return ObjectValidator.ValidateUpdate(resource, obj, old, File.Exists(subresource) ? File.ReadAllText(subresource).Trim() : null);
    }

    private static JsonObject Read(string file) => YamlReader.ReadObject(File.ReadAllBytes(file));
}
