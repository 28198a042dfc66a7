using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.ServiceAccounts;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>Bearer tokens: those of service accounts, of Secrets and of a file.</summary>
public sealed class TokenTests
{
    private const string Issuer = "https://issuer";
    private const string Accounts = "/api/v1/namespaces/default/serviceaccounts";
    private const string SecretType = "kubernetes.io/service-account-token";

    [Fact]
    public async Task A_token_that_was_asked_for_is_reviewed_with_all_groups_and_times_are_whole_seconds()
    {
        await using var cluster = await StartAsync();
        await cluster.CreateAsync(Accounts, Account("a"));
        var answer = await RequestAsync(cluster, "a", "{}");
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", answer["status"]!["expirationTimestamp"]!.GetValue<string>());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", answer["metadata"]!["creationTimestamp"]!.GetValue<string>());
        var status = await ReviewAsync(cluster, answer["status"]!["token"]!.GetValue<string>());
        Assert.True(status["authenticated"]!.GetValue<bool>());
        Assert.Null(status["error"]);
        Assert.Equal("system:serviceaccount:default:a", status["user"]!["username"]!.GetValue<string>());
        Assert.Equal(
            ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:default"],
            status["user"]!["groups"]!.AsArray().Select(g => g!.GetValue<string>()).Order());
        var whoAmI = (await cluster.PostAsync(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews", """{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}""")).Json;
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", whoAmI["metadata"]!["creationTimestamp"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_token_of_a_node_ends_with_it()
    {
        await using var cluster = await StartAsync();
        await cluster.CreateAsync(Accounts, Account("a"));
        var node = await cluster.CreateAsync("/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}""");
        var answer = await RequestAsync(cluster, "a", """{"boundObjectRef":{"apiVersion":"v1","kind":"Node","name":"n1"}}""");
        var token = answer["status"]!["token"]!.GetValue<string>();
        var extra = (await ReviewAsync(cluster, token))["user"]!["extra"]!;
        Assert.Equal("n1", extra["authentication.kubernetes.io/node-name"]![0]!.GetValue<string>());
        Assert.Equal(node["metadata"]!["uid"]!.GetValue<string>(), extra["authentication.kubernetes.io/node-uid"]![0]!.GetValue<string>());
        await cluster.DeleteAsync("/api/v1/nodes/n1");
        Assert.Equal("invalid bearer token", (await ReviewAsync(cluster, token))["error"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_token_of_a_secret_is_valid_while_the_secret_holds_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var cluster = await StartAsync(key);
        var account = await cluster.CreateAsync(Accounts, Account("a"));
        var codec = new TokenCodec(key, Issuer);
        var token = codec.Sign(new SecretTokenClaims("default", new BoundObject("a", account["metadata"]!["uid"]!.GetValue<string>()), "s"));
        Assert.False((await ReviewAsync(cluster, token))["authenticated"]?.GetValue<bool>() ?? false);
        const string secrets = "/api/v1/namespaces/default/secrets";
        await cluster.CreateAsync(
            secrets, $$$"""{"apiVersion":"v1","kind":"Secret","type":"{{{SecretType}}}","metadata":{"name":"s","annotations":{"kubernetes.io/service-account.name":"a"}},"stringData":{"token":"{{{token}}}"}}""");
        Assert.Equal("system:serviceaccount:default:a", (await ReviewAsync(cluster, token))["user"]!["username"]!.GetValue<string>());
        await cluster.MergeAsync(secrets + "/s", """{"stringData":{"token":"other"}}""");
        Assert.Null((await ReviewAsync(cluster, token))["user"]?["username"]);
        var refused = await cluster.PostAsync(secrets, $$$"""{"apiVersion":"v1","kind":"Secret","type":"{{{SecretType}}}","metadata":{"name":"none"}}""");
        Assert.Contains("metadata.annotations[kubernetes.io/service-account.name]: Required value", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_of_a_file_have_a_user_an_uid_and_groups()
    {
        var file = new TokenFile("tok1,ann,7,\"dev,ops\"\n\n,nobody,0\n\"to\"\"k2\",bob,8\r\ntok1,ann2,9\n", [Issuer]);
        Assert.Equal("ann2", file.Review("tok1", [])?.User.Name);
        var bob = file.Review("to\"k2", [Issuer])!;
        Assert.Equal(("bob", "8"), (bob.User.Name, bob.User.Uid));
        Assert.Equal([UserInfo.Authenticated], bob.User.Groups);
        Assert.Equal(["dev", "ops", UserInfo.Authenticated], new TokenFile("t,u,1,\"dev,ops\"", [Issuer]).Review("t", [])!.User.Groups);
        Assert.Null(file.Review("", []));
        Assert.Null(file.Review("tok2", []));
        Assert.Null(file.Review("tok1", ["https://somebody.else"]));
    }

    [Theory]
    [InlineData("t,u", "must have at least 3 columns (token, user name, user uid), found 2")]
    [InlineData("t,u,1\nt\"x,u,1", "parse error on line 2: bare \" in non-quoted field")]
    [InlineData("\"t,u,1", "parse error on line 1: extraneous or missing \" in quoted-field")]
    [InlineData("\"t\"x,u,1", "parse error on line 1: extraneous or missing \" in quoted-field")]
    public void A_file_of_another_form_is_refused(string csv, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => new TokenFile(csv, [Issuer])).Message);

    private static async Task<Cluster> StartAsync(ECDsa? key = null)
    {
        var codec = new TokenCodec(key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256), Issuer);
        return await Cluster.StartAsync(dependencies: d => d with
        {
            ReviewHandlers = (objects, authorizer, _) =>
            [
                new AccessReviewHandler(authorizer, new RbacAuthorizer(objects), TimeProvider.System),
                new TokenReviewHandler(new BearerTokens(new ServiceAccountTokens(codec, [Issuer], objects, TimeProvider.System)), objects),
                new TokenRequestHandler(codec, [Issuer], objects, TimeProvider.System),
            ],
        });
    }

    private static string Account(string name) => $$$"""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"{{{name}}}"}}""";

    private static async Task<JsonObject> RequestAsync(Cluster cluster, string account, string spec) =>
        await cluster.CreateAsync($"{Accounts}/{account}/token", $$$"""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{{{spec}}}}""");

    private static async Task<JsonNode> ReviewAsync(Cluster cluster, string token) =>
        (await cluster.CreateAsync(
            "/apis/authentication.k8s.io/v1/tokenreviews", $$$"""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"{{{token}}}"}}"""))["status"]!;
}
