using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class UpdateTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Fact]
    public async Task A_stale_update_conflicts_and_a_fresh_one_succeeds()
    {
        await using var cluster = await Cluster.StartAsync();
        var first = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var stale = first.ToJsonString();
        first["data"]!["k"] = "2";
        Assert.Equal(200, (await cluster.PutAsync(Maps + "/a", first.ToJsonString())).Code);
        var answer = await cluster.PutAsync(Maps + "/a", stale);
        Assert.Equal(409, answer.Code);
        Assert.Equal(
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again",
            answer.Message);
    }

    [Fact]
    public async Task An_update_of_a_missing_object_is_not_found()
    {
        await using var cluster = await Cluster.StartAsync();
        Assert.Equal(404, (await cluster.PutAsync(Maps + "/a", Cluster.ConfigMap("a"))).Code);
        Assert.Equal(404, (await cluster.MergeAsync(Maps + "/a", "{}")).Code);
    }

    [Fact]
    public async Task An_update_under_another_name_is_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var answer = await cluster.PutAsync(Maps + "/a", Cluster.ConfigMap("b"));
        Assert.Equal(400, answer.Code);
        Assert.Equal("the name of the object (b) does not match the name on the URL (a)", answer.Message);
    }

    [Fact]
    public async Task A_write_that_changes_nothing_keeps_the_version()
    {
        await using var cluster = await Cluster.StartAsync();
        var created = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var answer = await cluster.PutAsync(Maps + "/a", created.ToJsonString());
        Assert.Equal(Version(created), Version(answer.Json));
        Assert.Equal(Version(created), Version((await cluster.MergeAsync(Maps + "/a", """{"data":{"k":"1"}}""")).Json));
    }

    [Fact]
    public async Task Status_and_spec_are_written_apart()
    {
        await using var cluster = await Cluster.StartAsync();
        var pod = await cluster.CreateAsync(Pods, Cluster.Pod("p"));
        pod["status"]!["phase"] = "Running";
        pod["spec"]!["containers"]![0]!["image"] = "other";
        var status = await cluster.PutAsync(Pods + "/p/status", pod.ToJsonString());
        Assert.Equal("Running", status.Json["status"]!["phase"]!.GetValue<string>());
        Assert.Equal("busybox", status.Json["spec"]!["containers"]![0]!["image"]!.GetValue<string>());
        Assert.Equal(1, status.Json["metadata"]!["generation"]!.GetValue<int>());

        var spec = await cluster.MergeAsync(Pods + "/p", """{"spec":{"activeDeadlineSeconds":9},"status":{"phase":"Failed"}}""");
        Assert.True(spec.Code == 200, spec.Text);
        Assert.Equal("Running", spec.Json["status"]!["phase"]!.GetValue<string>());
        Assert.Equal(2, spec.Json["metadata"]!["generation"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("application/json-patch+json", """[{"op":"replace","path":"/data/k","value":"p"}]""")]
    [InlineData("application/merge-patch+json", """{"data":{"k":"p"}}""")]
    [InlineData("application/strategic-merge-patch+json", """{"data":{"k":"p"}}""")]
    public async Task Patches_of_each_kind_apply(string type, string patch)
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var answer = await cluster.SendAsync(HttpMethod.Patch, Maps + "/a", patch, type);
        Assert.True(answer.Code == 200, answer.Text);
        Assert.Equal("p", answer.Json["data"]!["k"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_patch_that_names_an_old_version_conflicts()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(409, (await cluster.MergeAsync(Maps + "/a", """{"metadata":{"resourceVersion":"1"},"data":{"k":"p"}}""")).Code);
    }

    [Fact]
    public async Task An_unknown_patch_type_is_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        Assert.Equal(415, (await cluster.SendAsync(HttpMethod.Patch, Maps + "/a", "{}", "application/json")).Code);
    }

    [Fact]
    public async Task Patches_without_a_version_never_lose_to_each_other()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var all = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => cluster.MergeAsync(Maps + "/a", $$$"""{"data":{"p{{{i}}}":"x"}}""")));
        Assert.All(all, a => Assert.Equal(200, a.Code));
        Assert.Equal(17, (await cluster.GetAsync(Maps + "/a")).Json["data"]!.AsObject().Count);
    }

    [Fact]
    public async Task Apply_creates_then_conflicts_with_another_manager_unless_forced()
    {
        await using var cluster = await Cluster.StartAsync();
        const string body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: ";
        const string type = "application/apply-patch+yaml";
        Assert.Equal(201, (await cluster.SendAsync(HttpMethod.Patch, Maps + "/a?fieldManager=one", body + "x", type)).Code);
        Assert.Equal(422, (await cluster.SendAsync(HttpMethod.Patch, Maps + "/a", body + "x", type)).Code);
        var conflict = await cluster.SendAsync(HttpMethod.Patch, Maps + "/a?fieldManager=two", body + "z", type);
        Assert.True(conflict.Code == 409, conflict.Text);
        var forced = await cluster.SendAsync(HttpMethod.Patch, Maps + "/a?fieldManager=two&force=true", body + "z", type);
        Assert.Equal(200, forced.Code);
        Assert.Equal("z", forced.Json["data"]!["k"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_pod_is_bound_once()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Pods, Cluster.Pod("p"));
        const string binding = """{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n1"}}""";
        var bound = await cluster.PostAsync(Pods + "/p/binding", binding);
        Assert.True(bound.Code == 201, bound.Text);
        var pod = (await cluster.GetAsync(Pods + "/p")).Json;
        Assert.Equal("n1", pod["spec"]!["nodeName"]!.GetValue<string>());
        Assert.Equal("PodScheduled", pod["status"]!["conditions"]![0]!["type"]!.GetValue<string>());
        var again = await cluster.PostAsync(Pods + "/p/binding", binding);
        Assert.Equal(409, again.Code);
        Assert.Equal("Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"", again.Message);
    }

    [Fact]
    public async Task Events_are_one_object_in_two_groups()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync("/api/v1/namespaces/default/events", """
            {"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","namespace":"default","name":"p"},"reason":"R","message":"m","type":"Normal","count":3,
             "source":{"component":"kubelet"},"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:01Z"}
            """);
        var view = (await cluster.GetAsync("/apis/events.k8s.io/v1/namespaces/default/events/e")).Json;
        Assert.Equal("events.k8s.io/v1", view["apiVersion"]!.GetValue<string>());
        Assert.Equal("p", view["regarding"]!["name"]!.GetValue<string>());
        Assert.Equal("m", view["note"]!.GetValue<string>());
        Assert.Equal(3, view["deprecatedCount"]!.GetValue<int>());
        var selected = await cluster.GetAsync("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=p,reason=R");
        Assert.Single(selected.Json["items"]!.AsArray());
        Assert.Empty((await cluster.GetAsync("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=q")).Json["items"]!.AsArray());
    }

    private static string Version(System.Text.Json.Nodes.JsonObject obj) => obj["metadata"]!["resourceVersion"]!.GetValue<string>();
}
