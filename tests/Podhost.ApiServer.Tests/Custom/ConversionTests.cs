using System.Text.Json.Nodes;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Custom;

public class ConversionTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string V1 = "/apis/example.com/v1/namespaces/default/hosts";
    private const string V2 = "/apis/example.com/v2/namespaces/default/hosts";

    [Fact]
    public async Task A_webhook_converts_what_is_read_listed_written_and_watched()
    {
        await using var hook = await HookServer.StartAsync(Convert);
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster, hook);
        await cluster.CreateAsync(V1, """{"apiVersion":"example.com/v1","kind":"Host","metadata":{"name":"a"},"hostPort":"localhost:8080"}""");
        var read = await cluster.GetAsync(V2 + "/a");
        Assert.Equal("localhost 8080", $"{read.Json["host"]} {read.Json["port"]}");
        Assert.Null(read.Json["hostPort"]);
        await cluster.CreateAsync(V2, """{"apiVersion":"example.com/v2","kind":"Host","metadata":{"name":"b"},"host":"there","port":"1"}""");
        Assert.Equal("there:1", (await cluster.GetAsync(V1 + "/b")).Json["hostPort"]!.GetValue<string>());
        Assert.Equal(["localhost", "there"], (await cluster.GetAsync(V2)).Json["items"]!.AsArray().Select(i => i!["host"]!.GetValue<string>()));
        var patched = await cluster.MergeAsync(V2 + "/b", """{"port":"2"}""");
        Assert.Equal("2", patched.Json["port"]!.GetValue<string>());
        Assert.Equal("there:2", (await cluster.GetAsync(V1 + "/b")).Json["hostPort"]!.GetValue<string>());
        using var watch = await cluster.WatchAsync(V2 + "?watch=true");
        Assert.Equal("localhost", (await watch.NextAsync())!.Value.Object["host"]!.GetValue<string>());
    }

    [Fact]
    public async Task Fields_are_selected_in_the_version_that_is_asked_for()
    {
        await using var hook = await HookServer.StartAsync(Convert);
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster, hook);
        await cluster.CreateAsync(V1, """{"apiVersion":"example.com/v1","kind":"Host","metadata":{"name":"a"},"hostPort":"one:80"}""");
        using var watch = await cluster.WatchAsync(V2 + "?watch=true&fieldSelector=host%3Done");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        await cluster.CreateAsync(V1, """{"apiVersion":"example.com/v1","kind":"Host","metadata":{"name":"b"},"hostPort":"two:80"}""");
        Assert.Equal("a", Assert.Single((await cluster.GetAsync(V2 + "?fieldSelector=host%3Done")).Json["items"]!.AsArray())!["metadata"]!["name"]!.GetValue<string>());
        await cluster.MergeAsync(V2 + "/b", """{"host":"one"}""");
        Assert.Equal("ADDED b", await watch.NextTextAsync());
        await cluster.MergeAsync(V2 + "/a", """{"host":"two"}""");
        Assert.Equal("DELETED a", await watch.NextTextAsync());
        await cluster.DeleteAsync(V2 + "/b");
        Assert.Equal("DELETED b", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_conversion_that_fails_is_told()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["result"] = new JsonObject { ["status"] = "Failed", ["message"] = "cannot" } });
        await using var cluster = await Cluster.StartAsync();
        await DefineAsync(cluster, hook);
        var failed = await cluster.PostAsync(V2, """{"apiVersion":"example.com/v2","kind":"Host","metadata":{"name":"b"},"host":"there","port":"1"}""");
        Assert.Equal(500, failed.Code);
        Assert.Equal("conversion webhook for example.com/v2, Kind=Host failed: cannot", failed.Message);
    }

    private static JsonObject Convert(JsonObject request)
    {
        var wanted = request["desiredAPIVersion"]!.GetValue<string>();
        var objects = request["objects"]!.AsArray().Select(o =>
        {
            var obj = (JsonObject)o!.DeepClone();
            obj["apiVersion"] = wanted;
            if (wanted == "example.com/v2")
            {
                var parts = obj["hostPort"]!.GetValue<string>().Split(':');
                obj.Remove("hostPort");
                (obj["host"], obj["port"]) = (parts[0], parts[1]);
            }
            else
            {
                obj["hostPort"] = $"{obj["host"]}:{obj["port"]}";
                obj.Remove("host");
                obj.Remove("port");
            }

            return (JsonNode)obj;
        });
        return new JsonObject { ["convertedObjects"] = new JsonArray([.. objects]), ["result"] = new JsonObject { ["status"] = "Success" } };
    }

    private static async Task DefineAsync(Cluster cluster, HookServer hook)
    {
        const string definition = """
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"hosts.example.com"},"spec":{
              "group":"example.com","scope":"Namespaced","names":{"plural":"hosts","kind":"Host"},
              "conversion":{"strategy":"Webhook","webhook":{"clientConfig":CLIENT,"conversionReviewVersions":["v1"]}},
              "versions":[
                {"name":"v1","served":true,"storage":true,"selectableFields":[{"jsonPath":".hostPort"}],
                 "schema":{"openAPIV3Schema":{"type":"object","properties":{"hostPort":{"type":"string"}}}}},
                {"name":"v2","served":true,"storage":false,"selectableFields":[{"jsonPath":".host"}],
                 "schema":{"openAPIV3Schema":{"type":"object","properties":{"host":{"type":"string"},"port":{"type":"string"}}}}}]}}
            """;
        await cluster.CreateAsync(Definitions, definition.Replace("CLIENT", hook.ClientConfig(), StringComparison.Ordinal));
        using var watch = await cluster.WatchAsync($"{Definitions}?watch=true&fieldSelector=metadata.name%3Dhosts.example.com");
        while (await watch.NextAsync() is { } e)
        {
            if ((e.Object["status"]?["conditions"] as JsonArray ?? []).Any(c => c!["type"]!.GetValue<string>() == "Established" && c["status"]!.GetValue<string>() == "True"))
            {
                return;
            }
        }
    }
}
