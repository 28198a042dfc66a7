using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class RbacTests
{
    private const string Roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

    [Theory]
    [InlineData("""{"matchLabels":{"team":"a"}}""", 200)]
    [InlineData("""{"matchLabels":{"team":"b"}}""", 403)]
    [InlineData("""{"matchExpressions":[{"key":"team","operator":"In","values":["a","b"]}]}""", 200)]
    [InlineData("""{"matchExpressions":[{"key":"team","operator":"NotIn","values":["a"]}]}""", 403)]
    [InlineData("""{"matchExpressions":[{"key":"team","operator":"Exists"}]}""", 200)]
    [InlineData("""{"matchLabels":{"team":"a"},"matchExpressions":[{"key":"team","operator":"DoesNotExist"}]}""", 403)]
    public async Task An_aggregated_role_has_the_rules_of_the_roles_that_its_selectors_match(string selector, int code)
    {
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with
        {
            Authorizer = objects => new UnionAuthorizer(new MastersAuthorizer(), new RbacAuthorizer(objects)),
        });
        await cluster.CreateAsync(Roles, """
            {"metadata":{"name":"reader","labels":{"team":"a"}},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}]}
            """);
        await cluster.CreateAsync(Roles, $$$"""{"metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[{{{selector}}}]}}""");
        await cluster.CreateAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", """
            {"metadata":{"name":"all"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"all"},
            "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ann"}]}
            """);

        // A consistent read: from here on the caches, which authorization looks into, hold all of the above.
        await cluster.GetAsync(Roles);
        using var ann = cluster.As(new UserInfo("ann", [UserInfo.Authenticated]));
        Assert.Equal(code, (await cluster.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/configmaps", via: ann)).Code);
    }
}
