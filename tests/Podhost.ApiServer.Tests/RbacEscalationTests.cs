using k8s.Models;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>Nobody grants more than they have.</summary>
public sealed class RbacEscalationTests
{
    private const string Base = "/apis/rbac.authorization.k8s.io/v1";
    private const string ReadPods = """[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]""";
    private const string ReadSecrets = """[{"apiGroups":[""],"resources":["secrets"],"verbs":["get","list"]}]""";
    private static readonly UserInfo Ann = new("ann", ["devs", UserInfo.Authenticated]);

    [Fact]
    public async Task A_role_may_hold_what_its_writer_holds_and_no_more()
    {
        await using var cluster = await StartAsync("create", "update", "patch");
        using var ann = cluster.As(Ann);
        Assert.Equal(201, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterroles", Role("pods", ReadPods), via: ann)).Code);
        var refused = await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterroles", Role("secrets", ReadSecrets), via: ann);
        Assert.Equal(403, refused.Code);
        Assert.Equal(
            "clusterroles.rbac.authorization.k8s.io \"secrets\" is forbidden: user \"ann\" (groups=[\"devs\" \"system:authenticated\"]) is attempting to grant RBAC "
            + "permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\"]}",
            (string)refused.Json["message"]!);

        // Neither by a change, nor in a namespace; what does not touch the rules passes.
        var patched = await PatchAsync(cluster, ann, "clusterroles/pods", $$"""{"rules":{{ReadSecrets}}}""");
        Assert.Equal(403, patched.Code);
        Assert.Equal(403, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/namespaces/default/roles", Role("secrets", ReadSecrets), via: ann)).Code);
        Assert.Equal(200, (await PatchAsync(cluster, ann, "clusterroles/strong", """{"metadata":{"labels":{"a":"b"}}}""")).Code);
    }

    [Fact]
    public async Task Only_who_may_do_everything_has_roles_collected()
    {
        await using var cluster = await StartAsync("create");
        using var ann = cluster.As(Ann);
        var refused = await cluster.SendAsync(
            HttpMethod.Post, $"{Base}/clusterroles", """{"metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}""", via: ann);
        Assert.Equal(403, refused.Code);
        Assert.Contains("must have cluster-admin privileges to use the aggregationRule: user \"ann\"", (string)refused.Json["message"]!);
    }

    [Fact]
    public async Task Who_may_escalate_or_bind_may_grant_more()
    {
        await using var cluster = await StartAsync("create", "update", "patch", "escalate", "bind");
        using var ann = cluster.As(Ann);
        Assert.Equal(201, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterroles", Role("secrets", ReadSecrets), via: ann)).Code);
        Assert.Equal(201, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterrolebindings", Binding("b", "strong"), via: ann)).Code);
    }

    [Fact]
    public async Task A_binding_may_name_roles_whose_rules_its_writer_holds()
    {
        await using var cluster = await StartAsync("create", "update", "patch");
        using var ann = cluster.As(Ann);
        Assert.Equal(201, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterrolebindings", Binding("own", "base"), via: ann)).Code);
        var refused = await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterrolebindings", Binding("more", "strong"), via: ann);
        Assert.Equal(403, refused.Code);
        Assert.EndsWith("{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\"]}", (string)refused.Json["message"]!);

        // An aggregated role is all that it collects.
        Assert.Equal(403, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/namespaces/default/rolebindings", Binding("sum", "sum"), via: ann)).Code);
        Assert.Equal(404, (await cluster.SendAsync(HttpMethod.Post, $"{Base}/clusterrolebindings", Binding("none", "none"), via: ann)).Code);
        Assert.Equal(403, (await PatchAsync(cluster, ann, "clusterrolebindings/strong", """{"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ann"}]}""")).Code);
    }

    [Theory]
    [InlineData("apps", "deployments", "get", true)]
    [InlineData("apps", "deployments/scale", "update", true)]
    [InlineData("", "pods/log", "get", false)]
    [InlineData("", "pods", "get", false)]
    public void Rules_cover_by_stars_and_subresources(string group, string resource, string verb, bool covered)
    {
        V1PolicyRule[] held = [new() { ApiGroups = ["apps"], Resources = ["*"], Verbs = ["get"] }, new() { ApiGroups = ["apps"], Resources = ["*/scale"], Verbs = ["*"] }];
        Assert.Equal(covered, RuleCoverage.Missing(held, [new() { ApiGroups = [group], Resources = [resource], Verbs = [verb] }]).Count == 0);
    }

    [Fact]
    public void Names_and_paths_are_covered_one_by_one()
    {
        V1PolicyRule[] held = [new() { ApiGroups = [""], Resources = ["secrets"], ResourceNames = ["a"], Verbs = ["get"] }, new() { NonResourceURLs = ["/api/*"], Verbs = ["get"] }];
        Assert.Equal(
            ["""{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["get"]}""", """{NonResourceURLs:["/metrics"], Verbs:["get"]}"""],
            RuleCoverage.Missing(held,
            [
                new() { ApiGroups = [""], Resources = ["secrets"], ResourceNames = ["a", "b"], Verbs = ["get"] },
                new() { NonResourceURLs = ["/api/v1", "/metrics"], Verbs = ["get"] },
            ]).Select(RuleCoverage.Describe));
        Assert.Single(RuleCoverage.Missing(held, [new() { ApiGroups = [""], Resources = ["secrets"], Verbs = ["get"] }]));
    }

    [Fact]
    public void A_rule_of_too_many_permissions_is_refused_as_a_whole()
    {
        string[] many = [.. Enumerable.Range(0, 5000).Select(i => $"r{i}")];
        Assert.Single(RuleCoverage.Missing([], [new() { ApiGroups = many, Resources = many, Verbs = many }]));
        Assert.Empty(RuleCoverage.Missing([new() { ApiGroups = ["*"], Resources = ["*"], Verbs = ["*"] }], [new() { ApiGroups = many, Resources = many, Verbs = many }]));
    }

    // Ann reads pods, and does with roles and bindings what the verbs say.
    private static async Task<Cluster> StartAsync(params string[] verbs)
    {
        RbacAuthorizer? rbac = null;
        var cluster = await Cluster.StartAsync(dependencies: d => d with
        {
            Authorizer = objects => new UnionAuthorizer(new MastersAuthorizer(), rbac ??= new RbacAuthorizer(objects)),
            AdmissionPlugins = objects => [new RbacEscalationPlugin(rbac ??= new RbacAuthorizer(objects), rbac)],
        });
        var own = $$"""{"apiGroups":["rbac.authorization.k8s.io"],"resources":["*"],"verbs":["{{string.Join("\",\"", verbs)}}"]}""";
        await cluster.CreateAsync($"{Base}/clusterroles", Role("base", ReadPods));
        await cluster.CreateAsync($"{Base}/clusterroles", Role("strong", ReadSecrets, """,{"team":"x"}"""));
        await cluster.CreateAsync($"{Base}/clusterroles", Role("writer", $"[{own}]"));
        await cluster.CreateAsync($"{Base}/clusterroles", """{"metadata":{"name":"sum"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"team":"x"}}]}}""");
        await cluster.CreateAsync($"{Base}/clusterrolebindings", Binding("base", "base"));
        await cluster.CreateAsync($"{Base}/clusterrolebindings", Binding("writer", "writer"));
        await cluster.CreateAsync($"{Base}/clusterrolebindings", Binding("strong", "strong", "nobody"));
        await cluster.GetAsync($"{Base}/clusterrolebindings");
        await cluster.GetAsync($"{Base}/clusterroles");
        return cluster;
    }

    private static Task<Answer> PatchAsync(Cluster cluster, HttpMessageInvoker via, string path, string patch) =>
        cluster.SendAsync(HttpMethod.Patch, $"{Base}/{path}", patch, "application/merge-patch+json", via: via);

    private static string Role(string name, string rules, string labels = ",{}") => $$"""{"metadata":{"name":"{{name}}","labels":{{labels[1..]}}},"rules":{{rules}}}""";

    private static string Binding(string name, string role, string user = "ann") => $$$"""
        {"metadata":{"name":"{{{name}}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{{{role}}}"},
        "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"{{{user}}}"}]}
        """;
}
