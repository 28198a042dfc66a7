using System.Text.Json.Nodes;
using Podhost.Api.OpenApi;
using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.Api.Tests.OpenApi;

public class OpenApiDocumentsTests
{
    private static readonly OpenApiDocuments Documents = new(ResourceTable.All);
    private static readonly JsonObject Core = (JsonObject)JsonNode.Parse(Documents.V3("", "v1")!.Body)!;
    private static readonly JsonObject V2 = (JsonObject)JsonNode.Parse(Documents.V2Json().Body)!;

    [Fact]
    public void TheIndexNamesEveryGroupWithTheHashOfItsDocument()
    {
        var paths = JsonNode.Parse(Documents.V3Index())!["paths"]!.AsObject();
        Assert.Equal(ResourceTable.All.Select(r => r.Group.Length == 0 ? "api/v1" : $"apis/{r.Group}/{r.Version}").Distinct(), paths.Select(p => p.Key));
        Assert.Equal($"/openapi/v3/api/v1?hash={Documents.V3("", "v1")!.Hash}", (string)paths["api/v1"]!["serverRelativeURL"]!);
        Assert.Null(Documents.V3("nothing", "v1"));
    }

    [Fact]
    public void HashesAreTheSameOnEveryStart() =>
        Assert.Equal(Documents.V3Index(), new OpenApiDocuments(ResourceTable.All).V3Index());

    [Fact]
    public void EveryReferenceOfEveryDocumentResolves()
    {
        foreach (var (group, version) in ResourceTable.All.Select(r => (r.Group, r.Version)).Distinct())
        {
            var document = JsonNode.Parse(Documents.V3(group, version)!.Body)!;
            AssertReferences(document, document["components"]!["schemas"]!.AsObject(), "#/components/schemas/");
        }

        AssertReferences(V2, V2["definitions"]!.AsObject(), "#/definitions/");
    }

    [Fact]
    public void PatchOfEveryKindOffersFieldValidation()
    {
        foreach (var resource in ResourceTable.All.Where(r => r.Verbs.Contains("patch")))
        {
            foreach (var document in new[] { (JsonObject)JsonNode.Parse(Documents.V3(resource.Group, resource.Version)!.Body)!, V2 })
            {
                var operations = document["paths"]!.AsObject().Select(p => p.Value!["patch"]).Where(o =>
                    o?["x-kubernetes-group-version-kind"] is { } k && (string)k["kind"]! == resource.Kind && (string)k["group"]! == resource.Group).ToList();
                Assert.NotEmpty(operations);
                Assert.All(operations, o => Assert.Contains("fieldValidation", o!["parameters"]!.AsArray().Select(p => (string)p!["name"]!)));
            }
        }
    }

    [Fact]
    public void OperationIdsAreUnique()
    {
        var ids = V2["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject()).Where(o => o.Key != "parameters").Select(o => (string)o.Value!["operationId"]!).ToList();
        Assert.True(ids.Count > 200);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Contains("createCoreV1NamespacedPod", ids);
        Assert.Contains("listRbacAuthorizationV1ClusterRole", ids);
        Assert.Contains("patchCoreV1NamespacedPodStatus", ids);
        Assert.Contains("connectPostCoreV1NamespacedPodExec", ids);
    }

    [Fact]
    public void WritesContainersWithAllThatClientsNeed()
    {
        var spec = Core["components"]!["schemas"]!["io.k8s.api.core.v1.PodSpec"]!;
        GoldenCases.AssertSame(
            JsonNode.Parse("""
            {"type":"array","items":{"$ref":"#/components/schemas/io.k8s.api.core.v1.Container"},"x-kubernetes-list-map-keys":["name"],
             "x-kubernetes-list-type":"map","x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge"}
            """),
            Without(spec["properties"]!["containers"]!, "description"));
        Assert.Equal(["containers"], spec["required"]!.AsArray().Select(r => (string)r!));
        Assert.StartsWith("List of containers belonging to the pod.", (string)spec["properties"]!["containers"]!["description"]!, StringComparison.Ordinal);
        var port = Core["components"]!["schemas"]!["io.k8s.api.core.v1.ContainerPort"]!["properties"]!;
        Assert.Equal("TCP", (string)port["protocol"]!["default"]!);
        Assert.Equal("int32", (string)port["containerPort"]!["format"]!);
        GoldenCases.AssertSame(
            JsonNode.Parse("""[{"group":"","kind":"Pod","version":"v1"}]"""),
            Core["components"]!["schemas"]!["io.k8s.api.core.v1.Pod"]!["x-kubernetes-group-version-kind"]);
        Assert.Equal("atomic", (string)Core["components"]!["schemas"]!["io.k8s.api.core.v1.ObjectReference"]!["x-kubernetes-map-type"]!);
        Assert.NotNull(Core["paths"]!["/api/v1/namespaces/{namespace}/pods/{name}/log"]!["get"]);
        Assert.NotNull(Core["paths"]!["/api/v1/pods"]!["get"]);
        Assert.NotNull(Core["paths"]!["/api/v1/nodes/{name}/status"]!["patch"]);
    }

    [Fact]
    public void TheProtobufHoldsTheSameDefinitionsAndPaths()
    {
        var document = ProtoReader.Read(Documents.V2Protobuf().Body);
        Assert.Equal("2.0", ProtoReader.Text(document[1].Single()));
        var paths = ProtoReader.Read(document[8].Single())[2].Select(p => ProtoReader.Text(ProtoReader.Read(p)[1].Single()));
        Assert.Equal(V2["paths"]!.AsObject().Select(p => p.Key), paths);

        var definitions = ProtoReader.Read(document[9].Single())[1].Select(ProtoReader.Read).ToDictionary(d => ProtoReader.Text(d[1].Single()), d => ProtoReader.Read(d[2].Single()));
        Assert.Equal(V2["definitions"]!.AsObject().Select(d => d.Key), definitions.Keys);
        var container = definitions["io.k8s.api.core.v1.Container"];
        Assert.Equal("object", ProtoReader.Text(ProtoReader.Read(container[22].Single())[1].Single()));
        Assert.Equal(["name"], container[19].Select(ProtoReader.Text));
        var properties = ProtoReader.Read(container[25].Single())[1].Select(ProtoReader.Read).Select(p => ProtoReader.Text(p[1].Single()));
        Assert.Equal(SchemaCatalog.Get("io.k8s.api.core.v1.Container").Fields.Select(f => f.Name), properties);
        var extension = ProtoReader.Read(definitions["io.k8s.api.core.v1.Pod"][31].Single());
        Assert.Equal("x-kubernetes-group-version-kind", ProtoReader.Text(extension[1].Single()));
        Assert.Equal("""[{"group":"","kind":"Pod","version":"v1"}]""", ProtoReader.Text(ProtoReader.Read(extension[2].Single())[2].Single()));
    }

    private static JsonNode Without(JsonNode node, string name)
    {
        var copy = (JsonObject)node.DeepClone();
        copy.Remove(name);
        return copy;
    }

    private static void AssertReferences(JsonNode? node, JsonObject schemas, string prefix)
    {
        switch (node)
        {
            case JsonObject obj:
                if (obj["$ref"] is JsonValue reference)
                {
                    var name = reference.GetValue<string>();
                    Assert.StartsWith(prefix, name, StringComparison.Ordinal);
                    Assert.True(schemas.ContainsKey(name[prefix.Length..]), name);
                }

                foreach (var member in obj)
                {
                    AssertReferences(member.Value, schemas, prefix);
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    AssertReferences(item, schemas, prefix);
                }

                break;
        }
    }
}
