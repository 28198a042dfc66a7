using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class DeleteTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Fact]
    public async Task A_deleted_object_is_gone_and_named_in_the_answer()
    {
        await using var cluster = await Cluster.StartAsync();
        var created = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var deleted = await cluster.DeleteAsync(Maps + "/a");
        Assert.Equal(200, deleted.Code);
        Assert.Equal("Success", deleted.Json["status"]!.GetValue<string>());
        Assert.Equal(created["metadata"]!["uid"]!.GetValue<string>(), deleted.Json["details"]!["uid"]!.GetValue<string>());
        Assert.Equal(404, (await cluster.DeleteAsync(Maps + "/a")).Code);
    }

    [Fact]
    public async Task Preconditions_protect_another_object_of_the_name()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var answer = await cluster.DeleteAsync(Maps + "/a", """{"preconditions":{"uid":"x"}}""");
        Assert.Equal(409, answer.Code);
        Assert.StartsWith("Operation cannot be fulfilled on configmaps \"a\": Precondition failed: UID in precondition: x", answer.Message);
        Assert.Equal(409, (await cluster.DeleteAsync(Maps + "/a", """{"preconditions":{"resourceVersion":"1"}}""")).Code);
    }

    [Fact]
    public async Task Finalizers_keep_an_object_until_the_last_one_is_taken_away()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, """{"metadata":{"name":"a","finalizers":["example.com/x"]}}""");
        var marked = await cluster.DeleteAsync(Maps + "/a");
        Assert.NotNull(marked.Json["metadata"]!["deletionTimestamp"]);
        Assert.Equal(200, (await cluster.GetAsync(Maps + "/a")).Code);
        Assert.Equal(200, (await cluster.MergeAsync(Maps + "/a", """{"metadata":{"finalizers":null}}""")).Code);
        Assert.Equal(404, (await cluster.GetAsync(Maps + "/a")).Code);
    }

    [Theory]
    [InlineData("Foreground", "foregroundDeletion")]
    [InlineData("Orphan", "orphan")]
    public async Task Propagation_leaves_a_finalizer_for_the_garbage_collector(string policy, string finalizer)
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var answer = await cluster.DeleteAsync(Maps + "/a", $$"""{"propagationPolicy":"{{policy}}"}""");
        Assert.Equal(finalizer, answer.Json["metadata"]!["finalizers"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task Contradicting_options_are_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(422, (await cluster.DeleteAsync(Maps + "/a", """{"propagationPolicy":"Orphan","orphanDependents":true}""")).Code);
        Assert.Equal(422, (await cluster.DeleteAsync(Maps + "/a", """{"propagationPolicy":"Sideways"}""")).Code);
    }

    [Fact]
    public async Task A_pod_that_is_not_bound_goes_at_once()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Pods, Cluster.Pod("p"));
        Assert.Equal(200, (await cluster.DeleteAsync(Pods + "/p")).Code);
        Assert.Equal(404, (await cluster.GetAsync(Pods + "/p")).Code);
    }

    [Fact]
    public async Task A_bound_pod_has_its_grace_and_a_second_delete_may_only_shorten_it()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Pods, Cluster.Pod("p", ""","nodeName":"n1","terminationGracePeriodSeconds":30"""));
        var first = (await cluster.DeleteAsync(Pods + "/p")).Json["metadata"]!;
        Assert.Equal(30, first["deletionGracePeriodSeconds"]!.GetValue<int>());
        Assert.Equal(2, first["generation"]!.GetValue<int>());

        var longer = (await cluster.DeleteAsync(Pods + "/p?gracePeriodSeconds=60")).Json["metadata"]!;
        Assert.Equal(30, longer["deletionGracePeriodSeconds"]!.GetValue<int>());
        var shorter = (await cluster.DeleteAsync(Pods + "/p?gracePeriodSeconds=5")).Json["metadata"]!;
        Assert.Equal(5, shorter["deletionGracePeriodSeconds"]!.GetValue<int>());
        Assert.Equal(
            DateTimeOffset.Parse(first["deletionTimestamp"]!.GetValue<string>()).AddSeconds(-25),
            DateTimeOffset.Parse(shorter["deletionTimestamp"]!.GetValue<string>()));

        using var watch = await cluster.WatchAsync(Pods + "?watch=true&resourceVersion=" + shorter["resourceVersion"]!.GetValue<string>());
        Assert.Equal(200, (await cluster.DeleteAsync(Pods + "/p?gracePeriodSeconds=0")).Code);
        Assert.Equal(404, (await cluster.GetAsync(Pods + "/p")).Code);
        Assert.Equal("MODIFIED p", await watch.NextTextAsync());
        var (type, last) = (await watch.NextAsync())!.Value;
        Assert.Equal("DELETED", type);
        Assert.Equal(0, last["metadata"]!["deletionGracePeriodSeconds"]!.GetValue<int>());
    }

    [Fact]
    public async Task Eviction_deletes_gracefully_and_says_why()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Pods, Cluster.Pod("p", ""","nodeName":"n1" """));
        var answer = await cluster.PostAsync(Pods + "/p/eviction", """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}""");
        Assert.True(answer.Code == 201, answer.Text);
        var pod = (await cluster.GetAsync(Pods + "/p")).Json;
        Assert.NotNull(pod["metadata"]!["deletionTimestamp"]);
        Assert.Contains("EvictionByEvictionAPI", pod["status"]!.ToJsonString());
    }

    [Fact]
    public async Task A_namespace_goes_when_it_is_finalized()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"n"}}""");
        var terminating = (await cluster.DeleteAsync("/api/v1/namespaces/n")).Json;
        Assert.Equal("kubernetes", terminating["spec"]!["finalizers"]![0]!.GetValue<string>());
        terminating["spec"]!["finalizers"] = new System.Text.Json.Nodes.JsonArray();
        Assert.Equal(200, (await cluster.PutAsync("/api/v1/namespaces/n/finalize", terminating.ToJsonString())).Code);
        Assert.Equal(404, (await cluster.GetAsync("/api/v1/namespaces/n")).Code);
        Assert.Equal(403, (await cluster.DeleteAsync("/api/v1/namespaces/default")).Code);
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a", labels: """{"x":"1"}"""));
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("b", labels: """{"x":"2"}"""));
        Assert.Equal(200, (await cluster.DeleteAsync(Maps + "?labelSelector=x%3D1&dryRun=All")).Code);
        Assert.Equal(2, (await cluster.GetAsync(Maps)).Json["items"]!.AsArray().Count);
        var deleted = await cluster.DeleteAsync(Maps + "?labelSelector=x%3D1");
        Assert.Single(deleted.Json["items"]!.AsArray());
        Assert.Equal("b", Assert.Single((await cluster.GetAsync(Maps)).Json["items"]!.AsArray())!["metadata"]!["name"]!.GetValue<string>());
    }
}
