using System.Text.Json.Nodes;
using Podhost.ApiServer.Tests.Support;
using Podhost.Storage.Memory;

namespace Podhost.ApiServer.Tests.Custom;

public class CustomKindTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_kind_is_served_as_soon_as_its_definition_is_established()
    {
        await using var cluster = await Cluster.StartAsync();
        Assert.Equal(404, (await cluster.GetAsync(Widgets)).Code);
        var crd = await DefineAsync(cluster);
        Assert.Equal("widget", crd["spec"]!["names"]!["singular"]!.GetValue<string>());
        Assert.Equal("""["v1"]""", crd["status"]!["storedVersions"]!.ToJsonString());
        var created = await cluster.CreateAsync(Widgets, Widget("a"));
        Assert.Equal(1, created["metadata"]!["generation"]!.GetValue<long>());
        Assert.Equal("red", created["spec"]!["color"]!.GetValue<string>());
        Assert.Null(created["status"]);
        var list = await cluster.GetAsync(Widgets);
        Assert.Equal("WidgetList", list.Json["kind"]!.GetValue<string>());
        Assert.NotNull(await cluster.Store.GetAsync("/registry/example.com/widgets/default/a", 0, Cluster.Deadline));
        var groups = await cluster.GetAsync("/apis/example.com/v1");
        Assert.Equal(["widgets", "widgets/status", "widgets/scale"], groups.Json["resources"]!.AsArray().Select(r => r!["name"]!.GetValue<string>()));
        var aggregated = await cluster.GetAsync("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
        Assert.Contains("\"resource\":\"widgets\"", aggregated.Text);
    }

    [Fact]
    public async Task Custom_objects_are_validated_pruned_and_told_of()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        var invalid = await cluster.PostAsync(Widgets, Widget("a", "\"size\":11"));
        Assert.Equal(422, invalid.Code);
        Assert.Equal(
            "Widget.example.com \"a\" is invalid: spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10", invalid.Message);
        var strict = await cluster.PostAsync(Widgets + "?fieldValidation=Strict", Widget("a", "\"size\":1,\"bogus\":1,\"size\":2"));
        Assert.Equal(400, strict.Code);
        Assert.Equal(
            "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: duplicate field \"spec.size\", unknown field \"spec.bogus\"",
            strict.Message);
        var warned = await cluster.PostAsync(Widgets, Widget("a", "\"size\":1,\"bogus\":1"));
        Assert.Equal("299 - \"unknown field \\\"spec.bogus\\\"\"", Assert.Single(warned.Warnings));
        Assert.Null(warned.Json["spec"]!["bogus"]);
        Assert.Equal(415, (await cluster.SendAsync(HttpMethod.Patch, Widgets + "/a", "{}", "application/strategic-merge-patch+json")).Code);
        var merged = await cluster.MergeAsync(Widgets + "/a", """{"spec":{"size":3}}""");
        Assert.Equal(2, merged.Json["metadata"]!["generation"]!.GetValue<long>());
        var unversioned = await cluster.PutAsync(Widgets + "/a", Widget("a", "\"size\":4"));
        Assert.Equal(422, unversioned.Code);
        Assert.Contains("metadata.resourceVersion", unversioned.Message);
    }

    [Fact]
    public async Task Status_and_spec_change_through_their_own_paths()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await cluster.CreateAsync(Widgets, Widget("a"));
        var spec = await cluster.MergeAsync(Widgets + "/a", """{"status":{"replicas":5}}""");
        Assert.Null(spec.Json["status"]);
        var status = await cluster.MergeAsync(Widgets + "/a/status", """{"metadata":{"labels":{"x":"y"}},"spec":{"size":9},"status":{"replicas":5,"selector":"a=b"}}""");
        Assert.Equal(5, status.Json["status"]!["replicas"]!.GetValue<int>());
        Assert.Equal(1, status.Json["spec"]!["size"]!.GetValue<int>());
        Assert.Null(status.Json["metadata"]!["labels"]);
        Assert.Equal(1, status.Json["metadata"]!["generation"]!.GetValue<long>());
        var scale = await cluster.GetAsync(Widgets + "/a/scale");
        Assert.Equal("""{"replicas":5,"selector":"a=b"}""", scale.Json["status"]!.ToJsonString());
        Assert.Equal(1, scale.Json["spec"]!["replicas"]!.GetValue<int>());
        var scaled = await cluster.MergeAsync(Widgets + "/a/scale", """{"spec":{"replicas":7}}""");
        Assert.Equal(7, scaled.Json["spec"]!["replicas"]!.GetValue<int>());
        var read = await cluster.GetAsync(Widgets + "/a");
        Assert.Equal(7, read.Json["spec"]!["size"]!.GetValue<int>());
        Assert.Equal(2, read.Json["metadata"]!["generation"]!.GetValue<long>());
    }

    [Fact]
    public async Task Tables_have_the_columns_of_the_definition()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await cluster.CreateAsync(Widgets, Widget("a"));
        var table = await cluster.GetAsync(Widgets, "application/json;as=Table;g=meta.k8s.io;v=v1");
        Assert.Equal(["Name", "Size", "Color", "Age"], table.Json["columnDefinitions"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()));
        Assert.Equal(1, table.Json["columnDefinitions"]![2]!["priority"]!.GetValue<int>());
        Assert.Equal("""["a",1,"red"]""", new JsonArray([.. table.Json["rows"]![0]!["cells"]!.AsArray().Take(3).Select(c => c!.DeepClone())]).ToJsonString());
    }

    [Fact]
    public async Task Field_selectors_name_what_the_definition_allows()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await cluster.CreateAsync(Widgets, Widget("a"));
        await cluster.CreateAsync(Widgets, Widget("b", "\"size\":1,\"color\":\"green\""));
        var green = await cluster.GetAsync(Widgets + "?fieldSelector=spec.color%3Dgreen");
        Assert.Equal("b", Assert.Single(green.Json["items"]!.AsArray())!["metadata"]!["name"]!.GetValue<string>());
        var refused = await cluster.GetAsync(Widgets + "?fieldSelector=spec.size%3D1");
        Assert.Equal("field label not supported: spec.size", refused.Message);
        using var watch = await cluster.WatchAsync(Widgets + "?watch=true&fieldSelector=spec.color%3Dred");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        await cluster.MergeAsync(Widgets + "/b", """{"spec":{"color":"red"}}""");
        Assert.Equal("ADDED b", await watch.NextTextAsync());
        await cluster.MergeAsync(Widgets + "/a", """{"spec":{"color":"green"}}""");
        Assert.Equal("DELETED a", await watch.NextTextAsync());
    }

    [Fact]
    public async Task Apply_merges_lists_by_the_keys_of_the_schema()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await ApplyAsync(cluster, "one", """{"size":1,"ports":[{"name":"a","number":1}]}""");
        var both = await ApplyAsync(cluster, "two", """{"size":1,"ports":[{"name":"b","number":2}]}""");
        Assert.Equal(["a", "b"], both.Json["spec"]!["ports"]!.AsArray().Select(p => p!["name"]!.GetValue<string>()));
        var conflict = await ApplyAsync(cluster, "two", """{"size":1,"ports":[{"name":"a","number":3}]}""");
        Assert.Equal(409, conflict.Code);
        Assert.Equal(".spec.ports[name=\"a\"].number", conflict.Json["details"]!["causes"]![0]!["field"]!.GetValue<string>());
        var unknown = await ApplyAsync(cluster, "two", """{"size":1,"bogus":1}""");
        Assert.Equal(400, unknown.Code);
        Assert.Equal("failed to create typed patch object: .spec.bogus: field not declared in schema", unknown.Message);
        var twice = await cluster.SendAsync(HttpMethod.Patch, Widgets + "/applied?fieldManager=one&fieldValidation=Strict",
            "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: applied\nspec:\n  size: 1\n  size: 2\n", "application/apply-patch+yaml");
        Assert.Equal("Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: line 7: key \"size\" already set in map", twice.Message);
        var ignored = await cluster.SendAsync(HttpMethod.Patch, Widgets + "/applied?fieldManager=one&fieldValidation=Ignore",
            "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: applied\nspec:\n  size: 1\n  size: 1\n", "application/apply-patch+yaml");
        Assert.Equal(200, ignored.Code);
    }

    [Fact]
    public async Task Versions_show_the_same_object_with_their_own_schemas()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        const string beta = "/apis/example.com/v1beta1/namespaces/default/widgets";
        await cluster.CreateAsync(beta, Widget("a").Replace("example.com/v1", "example.com/v1beta1"));
        var old = await cluster.GetAsync(beta + "/a");
        Assert.Equal("example.com/v1beta1", old.Json["apiVersion"]!.GetValue<string>());
        Assert.Equal("299 - \"example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget\"", Assert.Single(old.Warnings));
        var now = await cluster.GetAsync(Widgets + "/a");
        Assert.Equal("example.com/v1", now.Json["apiVersion"]!.GetValue<string>());
        Assert.Equal("red", now.Json["spec"]!["color"]!.GetValue<string>());
        Assert.Equal(now.Json["metadata"]!["resourceVersion"]!.GetValue<string>(), old.Json["metadata"]!["resourceVersion"]!.GetValue<string>());
        var group = await cluster.GetAsync("/apis/example.com");
        Assert.Equal("v1", group.Json["preferredVersion"]!["version"]!.GetValue<string>());
        Assert.Equal(2, group.Json["versions"]!.AsArray().Count);
        using var watch = await cluster.WatchAsync(beta + "?watch=true");
        Assert.Equal("example.com/v1beta1", (await watch.NextAsync())!.Value.Object["apiVersion"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_default_that_is_added_shows_in_what_is_stored()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await cluster.CreateAsync(Widgets, Widget("a"));
        var patched = await cluster.SendAsync(HttpMethod.Patch, Definitions + "/widgets.example.com",
            """[{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/name/default","value":"n"}]""", "application/json-patch+json");
        Assert.True(patched.Code == 200, patched.Text);
        Assert.Equal("n", (await cluster.GetAsync(Widgets + "/a")).Json["spec"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_definition_that_goes_takes_its_objects_along()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await cluster.CreateAsync(Widgets, Widget("a"));
        await cluster.CreateAsync(Widgets, Widget("b").Replace("\"name\":\"b\"", "\"name\":\"b\",\"finalizers\":[\"wait\"]"));
        using var watch = await cluster.WatchAsync($"{Definitions}?watch=true&fieldSelector=metadata.name%3Dwidgets.example.com");
        Assert.Equal("ADDED widgets.example.com", await watch.NextTextAsync());
        var deleted = await cluster.DeleteAsync(Definitions + "/widgets.example.com");
        Assert.Equal("""["customresourcecleanup.apiextensions.k8s.io"]""", deleted.Json["metadata"]!["finalizers"]!.ToJsonString());
        Assert.Equal("MODIFIED widgets.example.com", await watch.NextTextAsync());
        var refused = await cluster.PostAsync(Widgets, Widget("c"));
        Assert.Equal(405, refused.Code);
        Assert.Equal("create not allowed while custom resource definition is terminating", refused.Message);
        await cluster.MergeAsync(Widgets + "/b", """{"metadata":{"finalizers":null}}""");
        string text;
        do
        {
            text = await watch.NextTextAsync();
        }
        while (text == "MODIFIED widgets.example.com");
        Assert.Equal("DELETED widgets.example.com", text);
        Assert.Equal(404, (await cluster.GetAsync(Widgets)).Code);
        Assert.Null(await cluster.Store.GetAsync("/registry/example.com/widgets/default/a", 0, Cluster.Deadline));
        Assert.DoesNotContain("example.com", (await cluster.GetAsync("/apis")).Text);
    }

    [Fact]
    public async Task Names_that_are_taken_are_not_accepted()
    {
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster);
        await cluster.CreateAsync(Definitions, Definition.Replace("widgets", "gadgets"));
        var crd = await ConditionAsync(cluster, "gadgets.example.com", "NamesAccepted", "False");
        var conditions = crd["status"]!["conditions"]!.AsArray().ToDictionary(c => c!["type"]!.GetValue<string>());
        Assert.Equal("ListKindConflict", conditions["NamesAccepted"]!["reason"]!.GetValue<string>());
        Assert.Equal("\"WidgetList\" is already in use", conditions["NamesAccepted"]!["message"]!.GetValue<string>());
        Assert.Equal("NotAccepted", conditions["Established"]!["reason"]!.GetValue<string>());
        Assert.Equal(404, (await cluster.GetAsync("/apis/example.com/v1/gadgets")).Code);
    }

    [Fact]
    public async Task A_server_that_starts_on_the_store_serves_what_was_defined()
    {
        var store = new MemoryStore();
        await using (var before = await Cluster.StartAsync(store: store))
        {
            await DefineAsync(before);
            await before.CreateAsync(Widgets, Widget("a"));
            await using var after = await Cluster.StartAsync(store: store);
            Assert.Equal(200, (await after.GetAsync(Widgets + "/a")).Code);
            await after.CreateAsync(Widgets, Widget("b"));
            Assert.Equal(200, (await before.GetAsync(Widgets + "/b")).Code);
        }
    }

    [Fact]
    public async Task Documents_describe_the_kind()
    {
        await using var cluster = await Cluster.StartAsync();
        var before = (await cluster.GetAsync("/openapi/v3")).Json["paths"]!;
        await DefineAsync(cluster);
        var after = (await cluster.GetAsync("/openapi/v3")).Json["paths"]!;
        Assert.Null(before["apis/example.com/v1"]);
        Assert.NotNull(after["apis/example.com/v1"]);
        Assert.Equal(before["apis/apps/v1"]!.ToJsonString(), after["apis/apps/v1"]!.ToJsonString());
        var v3 = (await cluster.GetAsync("/openapi/v3/apis/example.com/v1")).Json;
        var schema = v3["components"]!["schemas"]!["com.example.v1.Widget"]!;
        Assert.Equal("A widget", schema["description"]!.GetValue<string>());
        Assert.Equal("#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", schema["properties"]!["metadata"]!["allOf"]![0]!["$ref"]!.GetValue<string>());
        Assert.NotNull(v3["components"]!["schemas"]!["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]);
        Assert.NotNull(v3["paths"]!["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/status"]);
        var v2 = (await cluster.GetAsync("/openapi/v2")).Json["definitions"]!["com.example.v1.Widget"]!;
        Assert.Equal("integer", v2["properties"]!["spec"]!["properties"]!["size"]!["type"]!.GetValue<string>());
        var proto = await cluster.GetAsync("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
        Assert.Equal(200, proto.Code);
    }

    private static Task<Answer> ApplyAsync(Cluster cluster, string manager, string spec) => cluster.SendAsync(
        HttpMethod.Patch, $"{Widgets}/applied?fieldManager={manager}",
        $$$"""{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"applied"},"spec":{{{spec}}}}""", "application/apply-patch+yaml");

    private static string Widget(string name, string spec = "\"size\":1") =>
        $$$"""{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"{{{name}}}"},"spec":{{{{spec}}}},"status":{"replicas":1}}""";

    private static async Task<JsonObject> DefineAsync(Cluster cluster)
    {
        await cluster.CreateAsync(Definitions, Definition);
        return await ConditionAsync(cluster, "widgets.example.com", "Established", "True");
    }

    private static async Task<JsonObject> ConditionAsync(Cluster cluster, string name, string type, string status)
    {
        using var watch = await cluster.WatchAsync($"{Definitions}?watch=true&fieldSelector=metadata.name%3D{name}");
        while (await watch.NextAsync() is { } e)
        {
            var conditions = e.Object["status"]?["conditions"] as JsonArray ?? [];
            if (conditions.Any(c => c!["type"]!.GetValue<string>() == type && c["status"]!.GetValue<string>() == status))
            {
                return e.Object;
            }
        }

        throw new InvalidOperationException("the watch ended");
    }

    private const string Definition = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.example.com"},"spec":{
          "group":"example.com","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget","categories":["all"]},
          "versions":[
            {"name":"v1","served":true,"storage":true,
             "subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.replicas","labelSelectorPath":".status.selector"}},
             "selectableFields":[{"jsonPath":".spec.color"}],
             "additionalPrinterColumns":[
               {"name":"Size","type":"integer","jsonPath":".spec.size"},{"name":"Color","type":"string","priority":1,"jsonPath":".spec.color"},
               {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}],
             "schema":{"openAPIV3Schema":{"type":"object","description":"A widget","properties":{
               "spec":{"type":"object","required":["size"],"properties":{
                 "size":{"type":"integer","minimum":0,"maximum":10},
                 "name":{"type":"string"},
                 "color":{"type":"string","enum":["red","green"],"default":"red"},
                 "ports":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object","required":["name"],
                   "properties":{"name":{"type":"string"},"number":{"type":"integer"}}}}}},
               "status":{"type":"object","properties":{"replicas":{"type":"integer"},"selector":{"type":"string"}}}}}}},
            {"name":"v1beta1","served":true,"storage":false,"deprecated":true,
             "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}
        """;
}
