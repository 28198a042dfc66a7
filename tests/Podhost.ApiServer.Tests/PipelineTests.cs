using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Podhost.Api.Errors;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.ServiceAccounts;
using Podhost.ApiServer.Streaming;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class PipelineTests
{
    [Theory]
    [InlineData("GET", "/api/v1/namespaces/ns/pods", "list", "", "v1", "ns", "pods", "", "")]
    [InlineData("GET", "/api/v1/namespaces/ns/pods/p", "get", "", "v1", "ns", "pods", "", "p")]
    [InlineData("GET", "/api/v1/namespaces/ns/pods/p/log", "get", "", "v1", "ns", "pods", "log", "p")]
    [InlineData("POST", "/api/v1/namespaces", "create", "", "v1", "", "namespaces", "", "")]
    [InlineData("DELETE", "/api/v1/namespaces/ns", "delete", "", "v1", "ns", "namespaces", "", "ns")]
    [InlineData("PUT", "/api/v1/namespaces/ns/finalize", "update", "", "v1", "ns", "namespaces", "finalize", "ns")]
    [InlineData("DELETE", "/api/v1/namespaces/ns/pods", "deletecollection", "", "v1", "ns", "pods", "", "")]
    [InlineData("PATCH", "/apis/apps/v1/namespaces/ns/deployments/d/scale", "patch", "apps", "v1", "ns", "deployments", "scale", "d")]
    [InlineData("GET", "/api/v1/watch/pods", "watch", "", "v1", "", "pods", "", "")]
    public void Requests_are_read_as_upstream_reads_them(
        string method, string path, string verb, string group, string version, string ns, string resource, string subresource, string name)
    {
        var info = RequestInfoParser.Parse(method, path, watch: false, fieldSelector: null);
        Assert.True(info.IsResource);
        Assert.Equal((verb, group, version, ns, resource, subresource, name),
            (info.Verb, info.Group, info.Version, info.Namespace, info.Resource, info.Subresource, info.Name));
    }

    [Theory]
    [InlineData("/api/v1")]
    [InlineData("/apis/apps/v1")]
    [InlineData("/healthz")]
    [InlineData("/")]
    public void Other_paths_are_no_resources(string path) =>
        Assert.False(RequestInfoParser.Parse("GET", path, watch: false, fieldSelector: null).IsResource);

    [Fact]
    public async Task The_issuer_of_tokens_shows_itself_and_its_key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with { Tokens = new TokenCodec(key, "https://issuer") });
        var configuration = (await cluster.GetAsync("/.well-known/openid-configuration")).Json;
        Assert.Equal("https://issuer", configuration["issuer"]!.GetValue<string>());
        Assert.Equal("https://issuer/openid/v1/jwks", configuration["jwks_uri"]!.GetValue<string>());
        var answer = await cluster.GetAsync("/openid/v1/jwks");
        Assert.Equal("application/jwk-set+json", answer.ContentType);
        Assert.Equal(Base64Url.EncodeToString(key.ExportParameters(false).Q.X), answer.Json["keys"]![0]!["x"]!.GetValue<string>());
        await using var without = await Cluster.StartAsync();
        Assert.Equal(404, (await without.GetAsync("/openid/v1/jwks")).Code);
    }

    [Theory]
    [InlineData("?tailLines=0&limitBytes=1&sinceSeconds=1&stream=All", "")]
    [InlineData("?stream=Stderr", "")]
    [InlineData("?tailLines=many", "")]
    [InlineData("?tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("?limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0")]
    [InlineData("?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", "sinceSeconds: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")]
    [InlineData("?stream=stderr", "stream: Unsupported value: \"stderr\": supported values: \"All\", \"Stderr\", \"Stdout\"")]
    [InlineData("?stream=Stderr&tailLines=1", "stream: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now")]
    public void A_request_for_logs_is_checked_as_upstream_checks_it(string query, string fault)
    {
        var asked = new QueryCollection(QueryHelpers.ParseQuery(query));
        var error = Record.Exception(() => LogParameters.Check("p", asked)) as ApiException;
        Assert.Equal(fault.Length == 0 ? null : "PodLogOptions \"p\" is invalid: " + fault, error?.Message);
    }

    [Fact]
    public async Task Who_is_not_allowed_is_told_what()
    {
        await using var cluster = await Cluster.StartAsync();
        var nobody = cluster.As(new UserInfo("u", [UserInfo.Authenticated]));
        var answer = await cluster.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/pods/p", via: nobody);
        Assert.Equal(403, answer.Code);
        Assert.Equal(
            "pods \"p\" is forbidden: User \"u\" cannot get resource \"pods\" in API group \"\" in the namespace \"default\"", answer.Message);
        var nodes = await cluster.SendAsync(HttpMethod.Get, "/api/v1/nodes", via: nobody);
        Assert.Equal("nodes is forbidden: User \"u\" cannot list resource \"nodes\" in API group \"\" at the cluster scope", nodes.Message);
        var path = await cluster.SendAsync(HttpMethod.Get, "/metrics", via: nobody);
        Assert.Equal("forbidden: User \"u\" cannot get path \"/metrics\"", path.Message);
    }

    [Fact]
    public async Task Impersonation_needs_the_right_and_then_counts()
    {
        await using var cluster = await Cluster.StartAsync();
        var refused = await cluster.SendAsync(
            HttpMethod.Get, "/version", via: cluster.As(new UserInfo("u", [])), headers: ("Impersonate-User", "x"));
        Assert.Equal("users \"x\" is forbidden: User \"u\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope", refused.Message);
        var asOther = await cluster.SendAsync(HttpMethod.Get, "/api/v1/nodes", headers: ("Impersonate-User", "x"));
        Assert.Equal(403, asOther.Code);
        var asMaster = await cluster.SendAsync(
            HttpMethod.Get, "/api/v1/nodes", headers: [("Impersonate-User", "x"), ("Impersonate-Group", UserInfo.Masters)]);
        Assert.Equal(200, asMaster.Code);
        Assert.Equal(400, (await cluster.SendAsync(HttpMethod.Get, "/version", headers: ("Impersonate-Group", "g"))).Code);
    }

    [Fact]
    public async Task A_handler_that_breaks_becomes_a_status()
    {
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with { Authorizer = _ => new Broken() });
        var answer = await cluster.GetAsync("/api/v1/nodes");
        Assert.Equal(500, answer.Code);
        Assert.Equal("InternalError", answer.Reason);
        Assert.Equal("Internal error occurred: boom", answer.Message);
    }

    [Fact]
    public async Task What_is_not_served_is_not_found_and_what_is_not_allowed_says_so()
    {
        await using var cluster = await Cluster.StartAsync();
        Assert.Equal("the server could not find the requested resource", (await cluster.GetAsync("/apis/none/v1/things")).Message);
        Assert.Equal(404, (await cluster.GetAsync("/api/v1/namespaces/default/pods/p/nonsense")).Code);
        Assert.Equal(405, (await cluster.PostAsync("/api/v1/namespaces/default/pods/p", "{}")).Code);
        Assert.Equal(405, (await cluster.PostAsync("/healthz", "{}")).Code);
        Assert.Equal(503, (await cluster.GetAsync("/api/v1/namespaces/default/pods/p/log")).Code);
    }

    [Fact]
    public async Task Discovery_names_what_is_served()
    {
        await using var cluster = await Cluster.StartAsync();
        Assert.Contains("\"name\":\"pods/log\"", (await cluster.GetAsync("/api/v1")).Text);
        Assert.Contains("rbac.authorization.k8s.io", (await cluster.GetAsync("/apis")).Text);
        var aggregated = await cluster.GetAsync("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json");
        Assert.Equal("application/json; g=apidiscovery.k8s.io; v=v2; as=APIGroupDiscoveryList", aggregated.ContentType);
        Assert.Equal("APIGroupDiscoveryList", aggregated.Json["kind"]!.GetValue<string>());
        Assert.Equal("v1.36.0+podhost", (await cluster.GetAsync("/version")).Json["gitVersion"]!.GetValue<string>());
        Assert.Equal("ok", (await cluster.GetAsync("/readyz")).Text);
        Assert.EndsWith("readyz check passed\n", (await cluster.GetAsync("/readyz?verbose")).Text);
        Assert.Contains("apiserver_request_total{", (await cluster.GetAsync("/metrics")).Text);
        Assert.Contains("\"api/v1\"", (await cluster.GetAsync("/openapi/v3")).Text);
        Assert.Equal(404, (await cluster.GetAsync("/apis/none")).Code);
    }

    [Fact]
    public async Task Limits_turn_away_what_cannot_even_wait()
    {
        using var limiter = new ConcurrencyLimiter(places: 1, maxQueued: 1);
        var first = await limiter.EnterAsync(Cluster.Deadline);
        var second = limiter.EnterAsync(Cluster.Deadline).AsTask();
        var refused = await Assert.ThrowsAsync<Api.Errors.ApiException>(() => limiter.EnterAsync(Cluster.Deadline).AsTask());
        Assert.Equal(429, (int)refused.Code);
        first.Dispose();
        (await second).Dispose();
    }

    private sealed class Broken : IAuthorizer
    {
        public ValueTask<AuthorizationDecision> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("boom");
    }

    [Theory]
    [InlineData("invalid", 400)]
    [InlineData("3m", 200)]
    [InlineData("0s", 200)]
    [InlineData("1m30s", 200)]
    public async Task A_client_may_name_a_timeout(string timeout, int code)
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.GetAsync("/version?timeout=" + timeout);
        Assert.Equal(code, answer.Code);
        if (code == 400)
        {
            Assert.Contains("invalid timeout specified in the request URL", answer.Message);
        }
    }
}
