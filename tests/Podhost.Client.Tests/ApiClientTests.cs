using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client.Tests.Fakes;

namespace Podhost.Client.Tests;

public sealed class ApiClientTests
{
    private const string ConfigMap = """{"metadata":{"name":"c","namespace":"ns","resourceVersion":"5"},"data":{"k":"v"}}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static ApiClient Client(FakeHandler handler, string address = "https://server:6443", int maxLine = 16 << 20, int maxBody = 1 << 20) =>
        new(new HttpMessageInvoker(handler), new ApiClientOptions
        {
            BaseAddress = new Uri(address), UserAgent = "podhost-test/1", MaxWatchLineBytes = maxLine, MaxResponseBytes = maxBody,
        });

    [Fact]
    public async Task Requests_go_to_the_paths_of_the_resource_table()
    {
        var handler = new FakeHandler((_, _) => FakeHandler.Json(ConfigMap));
        var client = Client(handler);
        var map = new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "c", NamespaceProperty = "ns" } };
        await client.GetAsync<V1ConfigMap>("ns", "c", Ct);
        await client.GetAsync<V1Node>(null, "n1", Ct);
        await client.CreateAsync(map, Ct);
        await client.UpdateAsync(map, null, Ct);
        await client.UpdateAsync(new V1Pod { Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "ns" } }, "status", Ct);
        await client.PatchAsync<V1Pod>("ns", "p", PatchKind.Strategic, new JsonObject(), "status", Ct);
        await client.PatchAsync<V1Node>(null, "n1", PatchKind.Json, new JsonArray(), null, Ct);
        await client.DeleteAsync<V1Lease>("ns", "l", new V1DeleteOptions { GracePeriodSeconds = 0 }, Ct);
        await client.PostSubresourceAsync<V1Pod>("ns", "p", "binding", new JsonObject { ["kind"] = "Binding" }, Ct);

        Assert.Equal(
            [
                "GET /api/v1/namespaces/ns/configmaps/c",
                "GET /api/v1/nodes/n1",
                "POST /api/v1/namespaces/ns/configmaps",
                "PUT /api/v1/namespaces/ns/configmaps/c",
                "PUT /api/v1/namespaces/ns/pods/p/status",
                "PATCH /api/v1/namespaces/ns/pods/p/status",
                "PATCH /api/v1/nodes/n1",
                "DELETE /apis/coordination.k8s.io/v1/namespaces/ns/leases/l",
                "POST /api/v1/namespaces/ns/pods/p/binding",
            ],
            handler.Requests.Select(r => $"{r.Method} {r.PathAndQuery}"));
        Assert.Equal("application/strategic-merge-patch+json", handler.Requests[5].ContentType);
        Assert.Equal("application/json-patch+json", handler.Requests[6].ContentType);
        var created = JsonNode.Parse(handler.Requests[2].Body)!;
        Assert.Equal(("v1", "ConfigMap"), ((string)created["apiVersion"]!, (string)created["kind"]!));
        Assert.Equal(0, (int)JsonNode.Parse(handler.Requests[7].Body)!["gracePeriodSeconds"]!);
    }

    [Fact]
    public async Task A_path_in_the_address_is_kept_and_raw_requests_are_relative_to_it()
    {
        HttpRequestMessage? seen = null;
        var handler = new FakeHandler((r, _) =>
        {
            seen = r;
            return FakeHandler.Json("{}");
        });
        var client = Client(handler, "https://proxy/k8s/c1/");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/version?x=%2F", UriKind.RelativeOrAbsolute));
        using var response = await client.SendAsync(request, Ct);
        Assert.Equal("https://proxy/k8s/c1/version?x=%2F", seen!.RequestUri!.AbsoluteUri);
        Assert.Equal("podhost-test/1", seen.Headers.UserAgent.ToString());
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a%2Fb")]
    public async Task A_name_cannot_walk_the_path(string name)
    {
        var handler = new FakeHandler((_, _) => FakeHandler.Json("{}"));
        await Assert.ThrowsAsync<ArgumentException>(() => Client(handler).GetAsync<V1ConfigMap>("ns", name, Ct));
        Assert.Empty(handler.Requests);
    }

    [Fact]
    public async Task A_namespaced_object_needs_its_namespace()
    {
        var client = Client(new FakeHandler((_, _) => FakeHandler.Json("{}")));
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetAsync<V1ConfigMap>(null, "c", Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => client.CreateAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "c" } }, Ct));
    }

    [Fact]
    public async Task A_status_answer_is_thrown_as_it_is()
    {
        var client = Client(new FakeHandler((_, _) => FakeHandler.Status(404, "NotFound", "configmaps c not found")));
        var e = await Assert.ThrowsAsync<ApiException>(() => client.GetAsync<V1ConfigMap>("ns", "c", Ct));
        Assert.True(e.IsNotFound);
        Assert.Equal("configmaps c not found", e.Message);
    }

    [Fact]
    public async Task A_failure_that_is_no_status_keeps_its_code_and_text()
    {
        var client = Client(new FakeHandler((_, _) => FakeHandler.Json("<html>bad gateway</html>", 503)));
        var e = await Assert.ThrowsAsync<ApiException>(() => client.DeleteAsync<V1ConfigMap>("ns", "c", null, Ct));
        Assert.Equal(503, (int)e.Code);
        Assert.Contains("bad gateway", e.Message);
    }

    [Fact]
    public async Task An_unreadable_or_endless_answer_is_refused()
    {
        var garbage = Client(new FakeHandler((_, _) => FakeHandler.Json("{\"metadata\":")));
        await Assert.ThrowsAsync<HttpRequestException>(() => garbage.GetAsync<V1ConfigMap>("ns", "c", Ct));
        var endless = Client(new FakeHandler((_, _) => FakeHandler.Json(new string(' ', 5000))), maxBody: 4096);
        await Assert.ThrowsAsync<HttpRequestException>(() => endless.GetAsync<V1ConfigMap>("ns", "c", Ct));
    }

    [Fact]
    public async Task A_list_follows_its_pages()
    {
        var handler = new FakeHandler((r, _) => r.RequestUri!.Query.Contains("continue=next%2F1")
            ? FakeHandler.Json($$"""{"metadata":{"resourceVersion":"7"},"items":[{{ConfigMap}}],"kind":"ConfigMapList"}""")
            : FakeHandler.Json($$"""{"items":[{{ConfigMap}},{{ConfigMap}}],"metadata":{"resourceVersion":"7","continue":"next/1","remainingItemCount":1} }"""));
        var list = await Client(handler).ListAsync<V1ConfigMap>("ns", new ListQuery("a=b,c!=d", "metadata.name=x", 2, "0"), Ct);
        Assert.Equal(3, list.Items.Count);
        Assert.Equal("7", list.ResourceVersion);
        Assert.All(list.Items, i => Assert.Equal("ConfigMap", i.Kind));
        Assert.Equal(
            [
                "/api/v1/namespaces/ns/configmaps?limit=2&resourceVersion=0&labelSelector=a%3Db%2Cc%21%3Dd&fieldSelector=metadata.name%3Dx",
                "/api/v1/namespaces/ns/configmaps?limit=2&continue=next%2F1&labelSelector=a%3Db%2Cc%21%3Dd&fieldSelector=metadata.name%3Dx",
            ],
            handler.Requests.Select(r => r.PathAndQuery));
    }

    [Fact]
    public async Task A_list_whose_pages_expired_is_taken_whole()
    {
        var handler = new FakeHandler((r, _) => r.RequestUri!.Query switch
        {
            var q when q.Contains("continue") => FakeHandler.Status(410, "Expired", "gone"),
            var q when q.Contains("limit") => FakeHandler.Json($$"""{"items":[{{ConfigMap}}],"metadata":{"resourceVersion":"7","continue":"n"} }"""),
            _ => FakeHandler.Json($$"""{"items":[{{ConfigMap}},{{ConfigMap}}],"metadata":{"resourceVersion":"9"} }"""),
        });
        var list = await Client(handler).ListAsync<V1ConfigMap>(null, new ListQuery(Limit: 1), Ct);
        Assert.Equal(2, list.Items.Count);
        Assert.Equal("9", list.ResourceVersion);
    }

    [Fact]
    public async Task An_empty_list_may_be_null() =>
        Assert.Empty((await Client(new FakeHandler((_, _) => FakeHandler.Json("""{"items":null,"metadata":{"resourceVersion":"7"} }""")))
            .ListAsync<V1ConfigMap>(null, new ListQuery(), Ct)).Items);

    [Fact]
    public async Task A_watch_reads_events_across_chunks()
    {
        var body = new ChannelStream();
        var text = $$"""
            {"type":"ADDED","object":{{ConfigMap}} }
            {"object":{{ConfigMap}},"type":"MODIFIED"}

            {"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":"9"} } }
            {"type":"DELETED","object":{{ConfigMap}} }

            """;
        foreach (var c in text)
        {
            body.Send(c.ToString());
        }

        body.End();
        var handler = new FakeHandler((_, _) => FakeHandler.Stream(body));
        var events = await Client(handler).WatchAsync<V1ConfigMap>("ns", new WatchQuery("5", SendInitialEvents: true), Ct).ToListAsync(Ct);
        Assert.Equal([WatchEventKind.Added, WatchEventKind.Modified, WatchEventKind.Bookmark, WatchEventKind.Deleted], events.Select(e => e.Type));
        Assert.Equal("v", events[1].Object.Data["k"]);
        Assert.Equal("9", events[2].Object.Metadata.ResourceVersion);
        Assert.Equal(
            "/api/v1/namespaces/ns/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=5&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            handler.Requests[0].PathAndQuery);
        Assert.True(body.IsDisposed);
    }

    [Theory]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"meta")]
    [InlineData("{\"type\":\"ADDED\"}\n")]
    [InlineData("{\"type\":\"STRANGE\",\"object\":{}}\n")]
    [InlineData("nonsense\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"data\":{\"k\":\"a far too long line for this client, which has a bound of a hundred bytes\"}}}\n")]
    public async Task A_watch_that_breaks_is_told_as_a_broken_connection(string text)
    {
        var body = new ChannelStream();
        body.Send(text);
        body.End();
        var client = Client(new FakeHandler((_, _) => FakeHandler.Stream(body)), maxLine: 80);
        await Assert.ThrowsAsync<HttpRequestException>(async () => await client.WatchAsync<V1ConfigMap>("ns", new WatchQuery("5"), Ct).ToListAsync(Ct));
    }

    [Fact]
    public async Task An_error_event_is_thrown()
    {
        var body = new ChannelStream();
        body.Send("""{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old","reason":"Expired","code":410}}""" + "\n");
        var client = Client(new FakeHandler((_, _) => FakeHandler.Stream(body)));
        var e = await Assert.ThrowsAsync<ApiException>(async () => await client.WatchAsync<V1ConfigMap>("ns", new WatchQuery("5"), Ct).ToListAsync(Ct));
        Assert.Equal(410, (int)e.Code);
    }
}
