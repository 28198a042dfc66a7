using CsCheck;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class ListWatchTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task Pages_make_up_the_list_as_it_was_at_the_first_page()
    {
        await using var cluster = await Cluster.StartAsync();
        for (var i = 0; i < 7; i++)
        {
            await cluster.CreateAsync(Maps, Cluster.ConfigMap($"m{i}"));
        }

        var first = (await cluster.GetAsync(Maps + "?limit=3")).Json;
        Assert.Equal(4, first["metadata"]!["remainingItemCount"]!.GetValue<int>());
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("m3x"));
        await cluster.DeleteAsync(Maps + "/m6");
        List<string> names = [.. Names(first)];
        var token = first["metadata"]!["continue"]?.GetValue<string>();
        while (token is not null)
        {
            var page = (await cluster.GetAsync($"{Maps}?limit=3&continue={token}")).Json;
            Assert.Equal(first["metadata"]!["resourceVersion"]!.GetValue<string>(), page["metadata"]!["resourceVersion"]!.GetValue<string>());
            names.AddRange(Names(page));
            Assert.Equal(7 - names.Count, page["metadata"]!["remainingItemCount"]?.GetValue<int>() ?? 0);
            token = page["metadata"]!["continue"]?.GetValue<string>();
        }

        Assert.Equal(["m0", "m1", "m2", "m3", "m4", "m5", "m6"], names);
    }

    [Theory]
    [InlineData("configmaps")]
    [InlineData("secrets")]
    public async Task A_token_of_a_compacted_revision_is_expired_and_offers_the_rest(string changed)
    {
        await using var cluster = await Cluster.StartAsync();
        for (var i = 0; i < 4; i++)
        {
            await cluster.CreateAsync(Maps, Cluster.ConfigMap($"m{i}"));
        }

        var first = (await cluster.GetAsync(Maps + "?limit=2")).Json;
        await cluster.CreateAsync("/api/v1/namespaces/default/" + changed, """{"metadata":{"name":"m9"}}""");
        await cluster.GetAsync(Maps); // a consistent read: the cache has moved on from the token's revision
        await cluster.Store.CompactAsync(await cluster.Store.CurrentRevisionAsync(Cluster.Deadline), Cluster.Deadline);
        var expired = await cluster.GetAsync($"{Maps}?limit=2&continue={first["metadata"]!["continue"]!.GetValue<string>()}");
        Assert.Equal(410, expired.Code);
        Assert.Equal("Expired", expired.Reason);
        var rest = await cluster.GetAsync($"{Maps}?continue={expired.Json["metadata"]!["continue"]!.GetValue<string>()}");
        Assert.Equal(changed == "configmaps" ? ["m2", "m3", "m9"] : ["m2", "m3"], Names(rest.Json));
        Assert.Equal(400, (await cluster.GetAsync(Maps + "?continue=garbage")).Code);
    }

    [Fact]
    public async Task Exact_reads_the_past_and_the_future_is_a_timeout()
    {
        await using var cluster = await Cluster.StartAsync(o => o with { CacheFreshnessTimeout = TimeSpan.FromMilliseconds(50) });
        var version = (await cluster.CreateAsync(Maps, Cluster.ConfigMap("a")))["metadata"]!["resourceVersion"]!.GetValue<string>();
        var second = Version(await cluster.CreateAsync(Maps, Cluster.ConfigMap("b")));
        Assert.Equal(["a"], Names((await cluster.GetAsync($"{Maps}?resourceVersion={version}&resourceVersionMatch=Exact")).Json));
        Assert.Equal(["a", "b"], Names((await cluster.GetAsync($"{Maps}?resourceVersion={second}&resourceVersionMatch=NotOlderThan")).Json));
        var future = await cluster.GetAsync(Maps + "?resourceVersion=999999");
        Assert.Equal(504, future.Code);
        Assert.StartsWith("Timeout: Too large resource version: 999999, current: ", future.Message);
        Assert.Equal(422, (await cluster.GetAsync(Maps + "?resourceVersionMatch=Exact")).Code);
        Assert.Equal(422, (await cluster.GetAsync(Maps + "?sendInitialEvents=true")).Code);
    }

    [Fact]
    public async Task Selectors_choose_and_unknown_fields_are_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a", labels: """{"x":"1"}"""));
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("b", labels: """{"x":"2"}"""));
        Assert.Equal(["b"], Names((await cluster.GetAsync(Maps + "?labelSelector=x!%3D1")).Json));
        Assert.Equal(["a"], Names((await cluster.GetAsync(Maps + "?fieldSelector=metadata.name%3Da")).Json));
        var pods = await cluster.GetAsync("/api/v1/pods?fieldSelector=spec.foo%3Da");
        Assert.Equal(400, pods.Code);
        Assert.Equal("field label not supported: spec.foo", pods.Message);

        const string Sets = "/apis/apps/v1/namespaces/default/replicasets";
        await cluster.CreateAsync(Sets, """{"metadata":{"name":"s"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""");
        await cluster.MergeAsync(Sets + "/s/status", """{"status":{"replicas":2}}""");
        Assert.Equal(["s"], Names((await cluster.GetAsync(Sets + "?fieldSelector=status.replicas%3D2")).Json));
        Assert.Empty(Names((await cluster.GetAsync(Sets + "?fieldSelector=status.replicas%3D1")).Json));
        Assert.Equal(200, (await cluster.GetAsync("/apis/batch/v1/jobs?fieldSelector=status.successful%3D1")).Code);
    }

    [Fact]
    public async Task A_watch_sees_what_enters_and_leaves_its_selector()
    {
        await using var cluster = await Cluster.StartAsync();
        var list = (await cluster.GetAsync(Maps)).Json;
        using var watch = await cluster.WatchAsync($"{Maps}?watch=1&labelSelector=x%3D1&resourceVersion={Version(list)}");
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        await cluster.MergeAsync(Maps + "/a", """{"metadata":{"labels":{"x":"1"}}}""");
        await cluster.MergeAsync(Maps + "/a", """{"data":{"k":"2"}}""");
        var left = await cluster.MergeAsync(Maps + "/a", """{"metadata":{"labels":{"x":"2"}}}""");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        Assert.Equal("MODIFIED a", await watch.NextTextAsync());
        var (type, obj) = (await watch.NextAsync())!.Value;
        Assert.Equal("DELETED", type);
        Assert.Equal("1", obj["metadata"]!["labels"]!["x"]!.GetValue<string>());
        Assert.Equal(Version(left.Json), Version(obj));
    }

    [Fact]
    public async Task A_deletion_carries_the_last_state_at_the_revision_of_the_deletion()
    {
        await using var cluster = await Cluster.StartAsync();
        var created = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a", "last"));
        using var watch = await cluster.WatchAsync($"{Maps}?watch=true&resourceVersion={Version(created)}");
        await cluster.DeleteAsync(Maps + "/a");
        var (type, obj) = (await watch.NextAsync())!.Value;
        Assert.Equal("DELETED", type);
        Assert.Equal("last", obj["data"]!["k"]!.GetValue<string>());
        Assert.True(long.Parse(Version(obj)) > long.Parse(Version(created)));
    }

    [Fact]
    public async Task Initial_events_end_with_an_annotated_bookmark()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        using var watch = await cluster.WatchAsync(
            Maps + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        var (type, bookmark) = (await watch.NextAsync())!.Value;
        Assert.Equal("BOOKMARK", type);
        Assert.Equal("true", bookmark["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.GetValue<string>());
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("b"));
        Assert.Equal("ADDED b", await watch.NextTextAsync());
        Assert.Equal(422, (await cluster.GetAsync(Maps + "?watch=true&sendInitialEvents=true")).Code);
    }

    [Fact]
    public async Task Bookmarks_come_by_the_clock()
    {
        await using var cluster = await Cluster.StartAsync(o => o with { BookmarkInterval = TimeSpan.FromMilliseconds(20) });
        var created = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        using var watch = await cluster.WatchAsync($"{Maps}?watch=true&allowWatchBookmarks=true&resourceVersion={Version(created)}");
        var (type, bookmark) = (await watch.NextAsync())!.Value;
        Assert.Equal("BOOKMARK", type);
        Assert.True(long.Parse(Version(bookmark)) >= long.Parse(Version(created)));
    }

    [Fact]
    public async Task A_watch_ends_after_its_seconds_and_one_from_too_far_back_is_expired()
    {
        await using var cluster = await Cluster.StartAsync(o => o with { WatchHistoryEvents = 2 });
        using var watch = await cluster.WatchAsync(Maps + "?watch=true&timeoutSeconds=1");
        Assert.Null(await watch.NextAsync());
        var first = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        for (var i = 0; i < 5; i++)
        {
            await cluster.CreateAsync(Maps, Cluster.ConfigMap($"b{i}"));
        }

        await cluster.GetAsync(Maps);
        var answer = await cluster.GetAsync($"{Maps}?watch=true&resourceVersion={Version(first)}");
        Assert.Equal(410, answer.Code);
        Assert.StartsWith($"too old resource version: {Version(first)} (", answer.Message);
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_is_ended_and_told_to_list_again()
    {
        await using var cluster = await Cluster.StartAsync(o => o with { WatchQueueLength = 4 });
        var list = (await cluster.GetAsync(Maps)).Json;
        using var watch = await cluster.WatchAsync($"{Maps}?watch=true&resourceVersion={Version(list)}");
        for (var i = 0; i < 60; i++)
        {
            await cluster.CreateAsync(Maps, Cluster.ConfigMap($"big{i}", new string('x', 20_000)));
        }

        var types = new List<string>();
        while (await watch.NextAsync() is var (type, obj))
        {
            types.Add(type);
            if (type == "ERROR")
            {
                Assert.Equal(410, obj["code"]!.GetValue<int>());
            }
        }

        Assert.Equal("ERROR", types[^1]);
        Assert.True(types.Count < 60);
    }

    [Fact]
    public void A_list_replayed_with_the_watch_is_the_list_of_the_end() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 2]).List[1, 30].Sample(
            steps => ReplayAsync(steps).GetAwaiter().GetResult(), iter: 20, threads: 1);

    private static async Task ReplayAsync(List<(int Name, int Action)> steps)
    {
        await using var cluster = await Cluster.StartAsync();
        var half = steps.Count / 2;
        await RunAsync(cluster, steps.Take(half));
        var list = (await cluster.GetAsync(Maps)).Json;
        var state = list["items"]!.AsArray().ToDictionary(o => o!["metadata"]!["name"]!.GetValue<string>(), o => o!.ToJsonString());
        await RunAsync(cluster, steps.Skip(half));
        var end = (await cluster.GetAsync(Maps)).Json;
        using var watch = await cluster.WatchAsync($"{Maps}?watch=true&resourceVersion={Version(list)}");
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("end"));
        while (await watch.NextAsync() is var (type, obj) && obj["metadata"]!["name"]!.GetValue<string>() is var name and not "end")
        {
            if (type == "DELETED")
            {
                state.Remove(name);
            }
            else
            {
                state[name] = obj.ToJsonString();
            }
        }

        Assert.Equal(end["items"]!.AsArray().Select(o => o!.ToJsonString()), state.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value));
    }

    private static async Task RunAsync(Cluster cluster, IEnumerable<(int Name, int Action)> steps)
    {
        var counter = 0;
        foreach (var (name, action) in steps)
        {
            switch (action)
            {
                case 0:
                    await cluster.PostAsync(Maps, Cluster.ConfigMap($"n{name}"));
                    break;
                case 1:
                    await cluster.MergeAsync($"{Maps}/n{name}", $$$"""{"data":{"k":"{{{counter++}}}"}}""");
                    break;
                default:
                    await cluster.DeleteAsync($"{Maps}/n{name}");
                    break;
            }
        }
    }

    private static IEnumerable<string> Names(System.Text.Json.Nodes.JsonObject list) =>
        list["items"]!.AsArray().Select(o => o!["metadata"]!["name"]!.GetValue<string>());

    private static string Version(System.Text.Json.Nodes.JsonObject obj) => obj["metadata"]!["resourceVersion"]!.GetValue<string>();
}
